//! What cannot work is refused with one sentence that says where and what to do; nothing is written then.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::browser::{Browser, text};
use crate::process::{DOCUMENT, Place, Served, complaint, refused, run};

/// Serving with these arguments is refused: the one sentence.
fn refusal(place: &Place, arguments: &[&str]) -> String {
    let (code, sentence) = refused(place, arguments);
    assert_eq!(code, Some(1), "{sentence}");
    assert_eq!(sentence.trim_end().lines().count(), 1, "one sentence: {sentence}");
    assert!(!sentence.contains("Error {") && !sentence.contains("panicked"), "{sentence}");
    sentence
}

/// What lint says about one file, with its exit code.
fn linted(name: &str, content: impl AsRef<[u8]>) -> (Option<i32>, String) {
    let place = Place::empty();
    place.write(name, content);
    let output = run(&place, &["lint", name]);
    (output.status.code(), format!("{}{}", String::from_utf8_lossy(&output.stdout), complaint(&output)))
}

#[test]
fn a_folder_without_markdown_is_said_on_the_first_page_with_what_to_do() {
    let place = Place::empty();
    place.write("runbooks/notes.txt", "nothing");
    let portal = Served::start(&place);
    let browser = Browser::set_up(&place, &portal);

    for page in ["/", "/documents"] {
        let page = text(browser.get(page));

        assert!(page.contains("holds no Markdown file"), "{page}");
    }
    assert_eq!(place.names("runbooks"), ["notes.txt"]);
}

#[test]
fn a_folder_that_is_not_there_is_refused() {
    let place = Place::empty();

    let sentence = refusal(&place, &["--runbooks", "nowhere"]);

    assert!(sentence.contains("nowhere"), "{sentence}");
    assert!(place.names("data").is_empty());
}

#[test]
fn an_empty_file_is_named_and_hides_no_other() {
    let (code, said) = linted("empty.md", "");
    let place = Place::with_document();
    place.write("runbooks/empty.md", "");
    let portal = Served::start(&place);
    let browser = Browser::set_up(&place, &portal);

    let page = text(browser.get("/documents"));

    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("empty.md") && said.contains("empty"), "{said}");
    assert!(page.contains("empty.md"), "the page of documents names the file");
    assert!(page.contains("Count slowly"), "the other document is there");
}

#[test]
fn ten_megabytes_of_markdown_are_read_or_refused_with_a_sentence() {
    let document = format!("{DOCUMENT}\n{}", "More text that says nothing at all, again and again.\n".repeat(200_000));
    assert!(document.len() > 10_000_000);

    let (code, said) = linted("large.md", &document);

    assert!(matches!(code, Some(0..=2)), "{said}");
    assert!(code != Some(2) || said.contains("large.md"), "{said}");
    assert!(said.lines().count() < 10, "not a finding for every line");
}

#[test]
fn a_file_that_is_not_utf8_is_named_with_the_place() {
    let (code, said) = linted("latin.md", b"# T\xFCr\n\n## Steps\n\n1. **Open**\n");

    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("latin.md:1") && said.contains("UTF-8"), "{said}");
}

#[test]
fn a_fence_that_never_ends_is_a_finding_with_its_line() {
    let (code, said) =
        linted("fence.md", "# Open\n\n## Steps\n\n1. **Go**\n\n   ```bash\n   uptime\n\n2. **Never reached**\n");

    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("fence.md:7: "), "{said}");
}

#[test]
fn two_procedures_with_one_title_are_a_finding() {
    let twice = "# Handbook\n\n## Restart\n\n### Steps\n\n1. **Look**\n\n   ```bash\n   uptime\n   ```\n\n\
                 ## Restart\n\n### Steps\n\n1. **Look again**\n\n   ```bash\n   date\n   ```\n";

    let (code, said) = linted("twice.md", twice);

    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("twice.md:13: ") && said.contains("Restart"), "{said}");
}

#[test]
fn an_unknown_key_of_a_side_file_is_a_finding_with_the_nearest_name() {
    let place = Place::empty();
    place.write("count.md", DOCUMENT);
    place.write("count.portal.toml", "target = \"local\"\ndirectroy = \"/srv\"\n");

    let output = run(&place, &["lint", "count.md"]);

    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("count.portal.toml:2: ") && said.contains("directory"), "{said}");
}

#[test]
fn a_side_file_for_a_procedure_that_is_not_there_is_a_finding() {
    let place = Place::empty();
    place.write("count.md", DOCUMENT);
    place.write("count.portal.toml", "[procedure.count-slowely]\ntarget = \"local\"\n");

    let output = run(&place, &["lint", "count.md"]);

    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("count.portal.toml:1: ") && said.contains("count-slow"), "{said}");
}

/// A webhook with alerts of one name, one for each service.
fn webhook(services: impl Iterator<Item = String>) -> String {
    let alert = |service: String| {
        format!(r#"{{"status":"firing","labels":{{"alertname":"CountsWrong","service":"{service}"}}}}"#)
    };
    format!(r#"{{"version":"4","alerts":[{}]}}"#, services.map(alert).collect::<Vec<_>>().join(","))
}

#[test]
fn alerts_that_are_none_or_nameless_or_ten_thousand_in_a_minute_are_said_and_the_portal_stays_up() {
    let place = Place::with_document();
    place.write("runbooks/count.portal.toml", "[procedure.\"Count slowly\"]\nalerts = [\"CountsWrong\"]\n");
    let portal = Served::start(&place);
    let browser = Browser::set_up(&place, &portal);
    let told = |webhook: &str| browser.tell(webhook).status().as_u16();

    let none = told(r#"{"version":"4","alerts":[7]}"#);
    let refused = text(browser.get("/"));
    let nameless = told(r#"{"version":"4","alerts":[{"status":"firing"}]}"#);
    let counted = text(browser.get("/"));
    let begun = Instant::now();
    let flood: Vec<u16> =
        (0..100).map(|piece| told(&webhook((0..100).map(|number| format!("{piece}-{number}"))))).collect();
    let took = begun.elapsed();
    let flooded = text(browser.get("/"));

    assert_eq!((none, nameless), (422, 200));
    assert!(refused.contains("The last webhook of alerts was refused"), "{refused}");
    assert!(counted.contains("1 alert came without a name"), "{counted}");
    assert!(flood.iter().all(|status| *status == 200) && took < Duration::from_mins(1), "{took:?}: {flood:?}");
    assert!(flooded.contains("100 suggestions were open, which is the most, so that 9,900 alerts"), "{flooded}");
    assert_eq!(browser.get("/readyz").status().as_u16(), 200);
}

#[test]
fn a_port_in_use_is_refused_before_anything_is_written() {
    let place = Place::with_document();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();

    let sentence = refusal(&place, &["--listen", &address]);

    assert!(sentence.contains(&address) && sentence.contains("--listen"), "{sentence}");
    assert!(place.names("data").is_empty());
}

#[test]
fn an_unwritable_data_folder_is_refused() {
    let place = Place::with_document();
    place.write("file", "not a folder");

    // A file in the way stops everybody, also the administrator; /proc is writable for nobody.
    for folder in ["file/data", "/proc/portal"] {
        let sentence = refusal(&place, &["--data", folder]);

        assert!(sentence.contains(folder) && sentence.contains("--data"), "{sentence}");
    }
}

#[test]
fn a_second_portal_on_the_same_data_is_refused_and_the_first_goes_on() {
    let place = Place::with_document();
    let first = Served::start(&place);

    let sentence = refusal(&place, &[]);

    assert!(sentence.contains("Another portal") && sentence.contains("data"), "{sentence}");
    assert_eq!(Browser::new(&first.address).get("/readyz").status().as_u16(), 200);
}

#[test]
fn a_portal_that_was_killed_leaves_no_lock() {
    let place = Place::with_document();
    let mut first = Served::start(&place);
    first.signal(Signal::KILL);
    first.wait();

    let second = Served::start(&place);

    assert_eq!(Browser::new(&second.address).get("/readyz").status().as_u16(), 200);
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let foreign: [&[u8]; 2] = [include_bytes!("other-program.db"), b"this is a letter to my aunt"];

    for bytes in foreign {
        let place = Place::with_document();
        place.write("data/portal.db", bytes);

        let sentence = refusal(&place, &[]);

        assert!(sentence.contains("portal.db") && sentence.contains("--data"), "{sentence}");
        assert_eq!(std::fs::read(place.path("data/portal.db")).unwrap(), bytes, "not one byte was changed");
        assert_eq!(place.names("data"), ["portal.db"], "nothing was put beside it");
    }
}

#[test]
fn a_damaged_database_and_its_folder_are_left_alone() {
    let healthy = Place::with_document();
    let mut portal = Served::start(&healthy);
    portal.signal(Signal::TERM);
    portal.wait();
    let mut bytes = std::fs::read(healthy.path("data/portal.db")).unwrap();
    bytes[4096..4200].fill(0xA5);
    let place = Place::with_document();
    place.write("data/portal.db", &bytes);

    let sentence = refusal(&place, &[]);

    assert!(sentence.contains("damaged") && sentence.contains("backup"), "{sentence}");
    assert_eq!(std::fs::read(place.path("data/portal.db")).unwrap(), bytes, "not one byte was changed");
    assert_eq!(place.names("data"), ["portal.db"], "nothing was put beside it");
}

#[test]
fn a_mistake_in_the_configuration_is_refused_with_its_line() {
    let place = Place::with_document();
    place.write("portal.toml", "[target.local]\nkind = \"local\"\nprodution = true\n");

    let sentence = refusal(&place, &[]);

    assert!(sentence.starts_with("portal.toml:3: ") && sentence.contains("production"), "{sentence}");
    assert!(place.names("data").is_empty());
}

#[test]
fn a_mistake_on_the_command_line_is_another_exit_code() {
    let place = Place::empty();

    assert_eq!(run(&place, &["serve", "--lisen", "x"]).status.code(), Some(2));
    assert_eq!(run(&place, &["serve", "--listen", "nowhere"]).status.code(), Some(2));
    assert_eq!(run(&place, &["lint"]).status.code(), Some(2));
}
