//! Readers whose connection breaks again and again while a step prints: what they have put together in the end is what is stored.
//! Straight at the portal, and behind the proxies that people have, with compression and buffering switched on.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write as _};
use std::path::Path;

use rand::Rng as _;
use rand::rngs::ThreadRng;
use testkit::rig::Cut;
use testkit::times;

use crate::browser::{AT_ONCE, Browser, is_packed, text, unpacked};
use crate::long::fifo;
use crate::page::Page;
use crate::process::{Place, Served};
use crate::proxies::{Kind, Proxy};

/// Prints as many lines as it is told to, until nobody tells it any more: it runs, and has something to print, at every break.
const DOCUMENT: &str = "# Chatter

## Steps

1. **Chatter**

   ```bash
   line=0; while read -r count; do for i in $(seq \"$count\"); do line=$((line + 1)); echo \"line $line of many, and some more text behind it\"; done; done < orders
   ```
";

/// The most lines that are printed between two breaks.
const MOST: u32 = 200;

/// How often each connection breaks.
fn breaks() -> u32 {
    times("PORTAL_DISCONNECTS", 40)
}

/// What tells the step to print.
struct Orders {
    pipe: Option<File>,
    lines: u32,
    /// What it prints for that.
    printed: String,
}

impl Orders {
    fn by(path: &Path) -> Self {
        fifo(path);
        // Who opens it for both does not wait for the other end.
        let pipe = OpenOptions::new().read(true).write(true).open(path).unwrap();
        Self { pipe: Some(pipe), lines: 0, printed: String::new() }
    }

    /// Has it print some lines more.
    fn more(&mut self, random: &mut ThreadRng) {
        let count = random.random_range(1..=MOST);
        writeln!(self.pipe.as_mut().unwrap(), "{count}").unwrap();
        for _ in 0..count {
            self.lines += 1;
            writeln!(self.printed, "line {} of many, and some more text behind it", self.lines).unwrap();
        }
    }

    /// A byte up to which it prints without being told more; not before the one that somebody has.
    fn some_byte(&self, from: usize, random: &mut ThreadRng) -> usize {
        random.random_range(from..=self.printed.len())
    }

    fn end(&mut self) {
        self.pipe = None;
    }
}

/// A portal at which the step has been started, and a reader before it.
struct Scene {
    orders: Orders,
    browser: Browser,
    run: String,
    network: Cut,
    way: &'static str,
    _proxy: Option<Proxy>,
    _portal: Served,
    place: Place,
}

impl Scene {
    /// With a proxy between the portal and the network, if there is to be one.
    fn begin(kind: Option<Kind>) -> Self {
        let place = Place::empty();
        place.write("work/.keep", "");
        place.write("runbooks/chatter.md", DOCUMENT);
        let directory = place.path("work");
        place.write("runbooks/chatter.portal.toml", format!("directory = {:?}\n", directory.to_str().unwrap()));
        let orders = Orders::by(&directory.join("orders"));
        let portal = Served::start_with(&place, &["--trusted-proxies", "127.0.0.1"]);
        let proxy = kind.map(|kind| Proxy::start(kind, &portal.address));
        let server = proxy.as_ref().map_or_else(|| portal.host().parse().unwrap(), Proxy::address);
        let network = Cut::before(server);
        let mut browser = Browser::set_up(&place, &portal);
        let run = started(&mut browser);
        let mut browser = browser.at(&format!("http://{}", network.address())).unpacking();
        if kind.is_some() {
            let answer = browser.call("pages/people", &[]);
            assert!(answer.status().is_success() && is_packed(&answer), "compression is on: {answer:?}");
        }
        let way = kind.map_or("straight", Kind::name);
        Self { orders, browser, run, network, way, _proxy: proxy, _portal: portal, place }
    }

    /// What was read is what was printed, and what is stored.
    fn judge(&self, read: &[u8], what: &str) {
        let stored = std::fs::read(self.place.path(&format!("data/runs/{}/1-1/out.log", self.run))).unwrap();
        let printed = self.orders.printed.as_bytes();
        assert_eq!([read.len(), stored.len()], [printed.len(); 2], "{}", self.way);
        assert!(read == stored && stored == printed, "{}: the same to the byte", self.way);
        eprintln!("\nFIGURES: {}, {what}: {} breaks in {} bytes", self.way, breaks(), read.len());
    }
}

/// Starts a run and its step; the run's number.
fn started(browser: &mut Browser) -> String {
    let form = [("slug", "chatter"), ("target", "local"), ("key", "a-key-of-these-breaks")];
    let run = text(browser.call("runs/start", &form)).trim_matches('"').to_owned();
    let form = [("run", run.as_str()), ("step", "1"), ("attempt", "1"), ("commands", "1")];
    assert!(browser.call("runs/run", &form).status().is_success());
    run
}

/// Reads so many bytes or some more, which must not wait for more than is printed by now.
fn at_least(wanted: usize, output: &mut impl Read) -> Vec<u8> {
    let (mut got, mut piece) = (Vec::new(), vec![0; AT_ONCE]);
    while got.len() < wanted {
        let count = output.read(&mut piece).unwrap();
        assert!(count > 0, "the stream lasts as long as the step");
        got.extend_from_slice(&piece[..count]);
    }
    got
}

fn raw_output_is_whole(kind: Option<Kind>) {
    let (mut scene, mut random) = (Scene::begin(kind), rand::rng());
    let (mut read, mut packed) = (Vec::new(), 0);

    for _ in 0..breaks() {
        scene.orders.more(&mut random);
        let wanted = scene.orders.some_byte(read.len(), &mut random) - read.len();
        let answer = scene.browser.follow(&scene.run, read.len());
        packed += u32::from(is_packed(&answer));
        let mut output = unpacked(answer);
        let mut got = at_least(wanted, &mut output);
        if random.random() {
            // The network breaks: what was on its way comes, or comes in part.
            scene.network.reset();
            drop(output.read_to_end(&mut got));
        } else {
            // The reader goes, and has looked at no more than that.
            got.truncate(wanted);
        }
        read.append(&mut got);
    }
    scene.orders.end();
    unpacked(scene.browser.follow(&scene.run, read.len())).read_to_end(&mut read).unwrap();

    // nginx compresses also what asks to be left as it is; HAProxy does as it is asked.
    assert_eq!(packed, if kind == Some(Kind::Nginx) { breaks() } else { 0 }, "compressed streams");
    scene.judge(&read, "raw output");
}

fn a_page_is_whole(kind: Option<Kind>) {
    let (mut scene, mut random) = (Scene::begin(kind), rand::rng());
    let run = scene.run.parse().unwrap();
    let mut page = Page::default();

    for _ in 0..breaks() {
        scene.orders.more(&mut random);
        let wanted = scene.orders.some_byte(page.output.len(), &mut random);
        let (by_network, mut frames) = (random.random(), random.random_range(1..8_u32));
        let network = &scene.network;
        page.follow(&mut scene.browser, run, |page| {
            frames = frames.saturating_sub(1);
            let enough = frames == 0 || page.output.len() >= wanted;
            if enough && by_network {
                network.reset();
            }
            // After the network has broken, what was on its way is still taken, up to half a line.
            enough && !by_network
        });
    }
    scene.orders.end();
    page.follow(&mut scene.browser, run, |_| false);

    assert!(page.is_whole(), "every piece followed the one before");
    scene.judge(page.output.as_bytes(), "page");
}

#[test]
fn raw_output_that_is_read_over_broken_connections_is_whole() {
    raw_output_is_whole(None);
}

#[test]
fn raw_output_that_is_read_over_broken_connections_behind_nginx_is_whole() {
    raw_output_is_whole(Some(Kind::Nginx));
}

#[test]
fn raw_output_that_is_read_over_broken_connections_behind_haproxy_is_whole() {
    raw_output_is_whole(Some(Kind::Haproxy));
}

#[test]
fn a_page_whose_connection_breaks_loses_nothing_and_repeats_nothing() {
    a_page_is_whole(None);
}

#[test]
fn a_page_whose_connection_breaks_behind_nginx_loses_nothing_and_repeats_nothing() {
    a_page_is_whole(Some(Kind::Nginx));
}

#[test]
fn a_page_whose_connection_breaks_behind_haproxy_loses_nothing_and_repeats_nothing() {
    a_page_is_whole(Some(Kind::Haproxy));
}
