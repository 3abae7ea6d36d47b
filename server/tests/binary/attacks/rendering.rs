//! What others have written, on its way to a browser: the output of steps, and documents.

use super::{documented, frames, ran, started};
use crate::browser::{Browser, text};
use crate::process::Served;

/// Prints a file at once, and then once more in two pieces.
const PRINTS: &str = "# Print

## Steps

1. **Print**

   ```bash
   { cat hostile; head -c 21 hostile; sleep 0.2; tail -c +22 hostile; }
   ```
";

/// Markup, links and a clipboard by OSC in both of its spellings, a title, a device string, a screen that is wiped.
const HOSTILE: &str = "<script>alert('stolen')</script>\n<img src=x onerror=alert('stolen')>\n</pre></ol><svg onload=alert('stolen')>\n\
    \u{1b}]8;;javascript:alert('linked')\u{1b}\\one\u{1b}]8;;\u{1b}\\\n\u{9d}8;;javascript:alert('linked')\u{9c}two\u{9d}8;;\u{9c}\n\
    \u{1b}]52;c;cGFzdGVkCg==\u{7}three\n\u{1b}]0;t1tled\u{7}four\n\u{1b}P$q\"dev1ce\u{1b}\\five\n\u{9b}2J\u{1b}[2Jsix\n";

/// A page without its scripts and what they were given, in which texts stand as data.
fn without_scripts(page: &str) -> String {
    let mut pieces = page.split("<script");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |page, piece| page + piece.split_once("</script>").map_or("", |(_, rest)| rest))
}

/// What a browser would show of a page.
pub(super) fn visible(page: &str) -> String {
    let page = without_scripts(page);
    page.split('<')
        .enumerate()
        .map(|(place, piece)| if place == 0 { piece } else { piece.split_once('>').map_or("", |(_, text)| text) })
        .collect()
}

/// The tags of a page, in small letters.
fn tags(page: &str) -> Vec<String> {
    let page = without_scripts(page);
    page.split('<').skip(1).map(|piece| piece.split('>').next().unwrap_or_default().to_ascii_lowercase()).collect()
}

/// Where a tag leads to, or what it loads.
fn addresses(tag: &str) -> impl Iterator<Item = &str> {
    let places = ["href=\"", "src=\"", "action=\"", "srcdoc=\""].into_iter();
    places.flat_map(move |place| tag.split(place).skip(1)).map(|rest| rest.split('"').next().unwrap_or_default())
}

/// Whether a tag has an attribute that is a script.
fn has_handler(tag: &str) -> bool {
    tag.split('"').step_by(2).flat_map(str::split_whitespace).any(|name| name.starts_with("on"))
}

#[test]
fn a04_output_is_shown_as_text_and_no_sequence_of_it_reaches_a_page() {
    let place = documented(PRINTS, "");
    place.write("work/hostile", HOSTILE);
    let portal = Served::start(&place);
    let mut olga = Browser::set_up(&place, &portal);
    let run = started(&mut olga, "print", "one", &[]);
    let printed = ran(&mut olga, &run, "1", "1");
    assert_eq!(printed, [HOSTILE, HOSTILE].concat(), "what is stored is what was printed");

    let page = text(olga.get("/runs/1?step=1"));
    let shown = visible(&page);

    assert!(shown.contains("&lt;script&gt;alert(") && shown.contains("&lt;img src=x"), "{shown}");
    for piece in ["one", "two", "three", "four", "five", "six"] {
        assert!(shown.contains(piece), "{piece}: {shown}");
    }
    for hidden in ["javascript:", "cGFzdGVkCg", "t1tled", "dev1ce", "\u{1b}", "\u{9b}", "\u{9d}"] {
        assert!(!without_scripts(&page).contains(hidden), "{hidden:?}: {shown}");
    }
    for markup in ["<script>alert(", "<img src=x", "<svg onload"] {
        assert!(!page.contains(markup), "{markup}: {page}");
    }
    let told = frames(&mut olga, &run, "1").find(|line| line.contains("\"frame\":\"output\"")).unwrap();
    assert!(!told.contains('\u{1b}'), "in the stream it is data as well: {told}");
}

#[test]
fn a04_a_download_of_output_is_a_text_that_no_browser_opens() {
    let place = documented(PRINTS, "");
    place.write("work/hostile", HOSTILE);
    let portal = Served::start(&place);
    let mut olga = Browser::set_up(&place, &portal);
    let run = started(&mut olga, "print", "one", &[]);
    ran(&mut olga, &run, "1", "1");

    for path in ["/runs/1/output/1/1", "/runs/1/output/1/1?download=1", "/runs/1/output/1/1?follow=1&from=0"] {
        let answer = olga.get(path);
        let header = |name: &str| answer.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();

        assert_eq!(header("content-type"), "text/plain; charset=utf-8", "{path}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert!(header("content-security-policy").starts_with("default-src 'none'"), "{path}");
        assert_eq!(header("content-disposition").starts_with("attachment"), path.contains("download"), "{path}");
    }
}

/// Every way that Markdown has to bring a script, in every place of a document.
fn written() -> String {
    let links = "[a](javascript:alert(1)) [b](JaVaScRiPt:alert(1)) [c](&#106;avascript:alert(1)) [d](java&#x09;script:alert(1)) \
        [e](&#x6A;&#x61;vascript&colon;alert(1)) [f](data:text/html;base64,PHNjcmlwdD4=) [g](vbscript:msgbox) <javascript:alert(1)> \
        [h](//evil.example/x) [i][later] ![j](javascript:alert(1)) <b onclick=\"alert(1)\">k</b>";
    format!(
        "# Read me\n\n{links}\n\n[later]: javascript:alert(1)\n\n<script>alert(1)</script>\n\n<svg onload=\"alert(1)\"><a href=\"javascript:alert(1)\">x</a></svg>\n\n\
         <form id=\"location\" action=\"//evil.example\"><input name=\"nodes\" id=\"body\"></form>\n\n<iframe src=\"javascript:alert(1)\"></iframe>\n\n\
         <a href=\"javascript:alert(1)\">l</a> <img src=\"//evil.example/pixel\" onerror=\"alert(1)\">\n\n\
         ## Steps\n\n1. **Look** [m](javascript:alert(1)) <img src=x onerror=alert(1)>\n\n   {links}\n\n   ```bash\n   echo looked\n   ```\n\n\
         ## Expected outcome\n\n- It was {links}\n"
    )
}

#[test]
fn a05_no_title_ends_before_its_end() {
    let steps = "## Steps\n\n1. **Look**\n\n   ```bash\n   ls\n   ```\n";
    let place = documented(&format!("# Sweep `</title><i id=planted>` & go\n\n{steps}"), "");
    let portal = Served::start(&place);
    let mut olga = Browser::set_up(&place, &portal);
    let home = text(olga.get("/"));
    let (_, rest) = home.split_once("/procedures/").unwrap();
    let slug: String = rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '-').collect();
    started(&mut olga, &slug, "one", &[]);

    for path in [&*format!("/procedures/{slug}"), "/runs/1", "/alerts/%3C%2Ftitle%3E%3Ci%20id=planted%3E"] {
        let page = text(olga.get(path));

        let (_, head) = page.split_once("<title>").unwrap();
        let (title, _) = head.split_once("</title>").unwrap();
        assert!(title.contains("&lt;/title>&lt;i id=planted>"), "{path}: {title}");
        assert!(title.ends_with("· Runbook Portal") && !page.contains("<i id=planted>"), "{path}: {title}");
    }
}

#[test]
fn a05_no_document_brings_a_script_a_link_to_one_or_an_element_of_its_own_onto_a_page() {
    let place = documented(&written(), "");
    let portal = Served::start(&place);
    let mut olga = Browser::set_up(&place, &portal);
    started(&mut olga, "read-me", "one", &[]);

    for path in ["/procedures/read-me", "/runs/1", "/runs/1?step=1", "/documents", "/"] {
        let answer = olga.get(path);
        assert_eq!(answer.status(), 200, "{path}");
        let page = text(answer);

        assert!(!page.contains("<script>alert(1)"), "{path}");
        for tag in tags(&page) {
            for address in addresses(&tag) {
                let is_good =
                    ["#", "?", "/", "https://", "http://", "mailto:"].iter().any(|good| address.starts_with(good));
                assert!(address.is_empty() || is_good && !address.starts_with("//"), "{path} has <{tag}>");
            }
            assert!(!has_handler(&tag), "{path} has <{tag}>");
            assert!(!tag.starts_with("iframe") && !tag.contains("id=\"location\""), "{path} has <{tag}>");
        }
    }
    assert!(visible(&text(olga.get("/procedures/read-me"))).contains("echo looked"), "the page is there");
}
