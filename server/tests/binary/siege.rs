//! Who wants to keep the portal from others: half-open connections, bodies without an end, readers that never read, and many who
//! sign in at once. Others are answered meanwhile, and its memory stays bounded.

use std::io::{Read as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use testkit::times;

use crate::browser::{Browser, text};
use crate::page::Page;
use crate::process::{Place, Served};
use crate::silent::Reader;

/// Others are answered within this, at the 99th percentile.
const PROMPT: Duration = Duration::from_millis(100);

/// The most memory that a portal takes under any of this, in KiB.
const MEMORY: u64 = 256 * 1024;

/// So many others ask during a siege.
const ASKED: usize = 300;

/// How long others waited for a page during a siege: the 50th and the 99th percentile, and the longest.
#[derive(Debug)]
struct Waits {
    median: Duration,
    late: Duration,
    longest: Duration,
}

impl Waits {
    fn of(mut waits: Vec<Duration>) -> Self {
        waits.sort_unstable();
        let at = |percent: usize| waits[(waits.len() * percent / 100).min(waits.len() - 1)];
        Self { median: at(50), late: at(99), longest: at(100) }
    }
}

/// Asks for a page so often, each time over a new connection.
fn asked(portal: &Served, cookie: &str) -> Waits {
    let one = |_| {
        let began = Instant::now();
        let mut stream = portal.connect();
        let host = portal.host();
        write!(stream, "GET /account HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
        began.elapsed()
    };
    Waits::of((0..ASKED).map(one).collect())
}

/// Says what a siege came to, and holds it against what is promised.
fn judge(what: &str, portal: &Served, waits: &Waits, floor: &Waits) {
    let memory = portal.peak() / 1024;
    eprintln!(
        "{what}: others waited {:?} at the median, {:?} at the 99th percentile, {:?} at most; without it {:?} and {:?}; memory {memory} MiB",
        waits.median, waits.late, waits.longest, floor.median, floor.late
    );
    assert!(portal.peak() < MEMORY, "{what}: {memory} MiB");
    // How fast is for the proof, which has the machine to itself: a debug build beside other tests answers slowly in peace, too.
    assert!(cfg!(debug_assertions) || waits.late < PROMPT, "{what}: {waits:?}, without it {floor:?}");
}

/// A step that prints more than all readers could keep.
const LOUD: &str =
    "# Shout\n\n## Steps\n\n1. **Shout**\n\n   ```bash\n   yes 'as loud as one can' | head -c 64000000\n   ```\n";

/// A portal with a person who is signed in, and how long it takes to answer in peace.
fn besieged() -> (Place, Served, Browser, Waits) {
    let place = Place::empty();
    place.write("runbooks/shout.md", LOUD);
    let portal = Served::start(&place);
    let browser = Browser::set_up(&place, &portal);
    asked(&portal, &browser.cookie().unwrap());
    let floor = asked(&portal, &browser.cookie().unwrap());
    (place, portal, browser, floor)
}

#[test]
fn half_open_connections_keep_nobody_out() {
    let (_place, portal, browser, floor) = besieged();
    let mut half = Vec::new();
    for _ in 0..times("PORTAL_HALF_OPEN", 700) {
        let mut stream = portal.connect();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ").unwrap();
        half.push(stream);
    }

    let waits = asked(&portal, &browser.cookie().unwrap());

    judge(&format!("{} half-open connections", half.len()), &portal, &waits, &floor);
}

#[test]
fn a_body_without_an_end_is_given_up_and_kept_nowhere() {
    let (_place, portal, browser, floor) = besieged();
    let megabytes = times("PORTAL_BODY_MEGABYTES", 64);
    let over = AtomicBool::new(false);

    let waits = std::thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let sent = send_endlessly(&portal, megabytes);
            over.store(true, Ordering::Release);
            sent
        });
        let waits = asked(&portal, &browser.cookie().unwrap());
        let sent = sender.join().unwrap();
        eprintln!("the portal took {sent} MiB of {megabytes} before it answered");
        waits
    });

    assert!(over.into_inner());
    judge(&format!("a body of {megabytes} MiB"), &portal, &waits, &floor);
}

/// Sends a body until the portal has had enough of it; gives how many MiB it took.
fn send_endlessly(portal: &Served, megabytes: usize) -> usize {
    let mut stream = portal.connect();
    let length = megabytes << 20;
    let head = format!(
        "POST /api/sign-in HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n",
        host = portal.host()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let piece = vec![b'a'; 1 << 20];
    let taken = (0..megabytes).take_while(|_| stream.write_all(&piece).is_ok()).count();
    let mut answer = [0; 64];
    // A portal that has closed the connection in the middle of what is sent resets it, and its answer with it.
    if let Ok(read @ 1..) = stream.read(&mut answer) {
        assert!(answer[..read].starts_with(b"HTTP/1.1 413"), "{}", String::from_utf8_lossy(&answer[..read]));
    }
    taken
}

#[test]
fn readers_that_never_read_hold_up_no_step_and_nobody_else() {
    let (_place, portal, mut browser, floor) = besieged();
    let run = started(&mut browser);
    let cookie = browser.cookie().unwrap();
    let mut readers = Vec::new();
    for _ in 0..times("PORTAL_DEAD_READERS", 20) {
        readers.push(Reader::page(&portal, &cookie, &run));
    }
    let form = [("run", run.as_str()), ("step", "1"), ("attempt", "1"), ("commands", "1")];
    assert!(browser.call("runs/run", &form).status().is_success());

    let waits = asked(&portal, &browser.cookie().unwrap());

    let mut page = Page::default();
    page.follow(&mut browser, run.parse().unwrap(), |_| false);
    assert_eq!(page.codes(), [Some(0)], "the step has not waited for anybody");
    judge(&format!("{} readers that never read", readers.len()), &portal, &waits, &floor);
}

/// Starts the run of the document; gives its number.
fn started(browser: &mut Browser) -> String {
    let form = [("slug", "shout"), ("target", "local"), ("key", "a-key-of-this-siege")];
    text(browser.call("runs/start", &form)).trim_matches('"').to_owned()
}

#[test]
fn many_who_sign_in_at_once_leave_room_for_those_who_are_in() {
    let (_place, portal, browser, floor) = besieged();
    let logins = times("PORTAL_LOGINS", 40);

    let waits = std::thread::scope(|scope| {
        for number in 0..logins {
            let portal = &portal;
            scope.spawn(move || Browser::new(&portal.address).sign_in(&format!("nobody{number}")));
        }
        asked(&portal, &browser.cookie().unwrap())
    });

    judge(&format!("{logins} who sign in at once"), &portal, &waits, &floor);
}
