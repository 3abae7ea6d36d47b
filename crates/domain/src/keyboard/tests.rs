use proptest::prelude::*;

use super::*;

const NORMAL: Modes = Modes { application_cursor: false, bracketed_paste: false };
const APPLICATION: Modes = Modes { application_cursor: true, bracketed_paste: true };

fn held(words: &str) -> Held {
    let is = |word: &str| words.split('-').any(|held| held == word);
    Held { shift: is("shift"), alt: is("alt"), ctrl: is("ctrl"), meta: is("meta") }
}

fn key(name: &str) -> Stroke {
    Stroke::Key(Press::parse(name).unwrap())
}

fn sent(stroke: Stroke, modes: Modes) -> String {
    String::from_utf8(bytes(&[stroke], modes)).unwrap()
}

fn text(text: &str) -> Stroke {
    Stroke::Text(text.to_owned())
}

#[test]
fn every_key_sends_what_xterm_sends() {
    for (name, expected) in [
        ("enter", "\r"),
        ("alt-enter", "\x1b\r"),
        ("tab", "\t"),
        ("shift-tab", "\x1b[Z"),
        ("escape", "\x1b"),
        ("backspace", "\x7f"),
        ("alt-backspace", "\x1b\x7f"),
        ("ctrl-backspace", "\x08"),
        ("up", "\x1b[A"),
        ("down", "\x1b[B"),
        ("right", "\x1b[C"),
        ("left", "\x1b[D"),
        ("ctrl-left", "\x1b[1;5D"),
        ("alt-up", "\x1b[1;3A"),
        ("shift-end", "\x1b[1;2F"),
        ("home", "\x1b[H"),
        ("end", "\x1b[F"),
        ("insert", "\x1b[2~"),
        ("delete", "\x1b[3~"),
        ("ctrl-delete", "\x1b[3;5~"),
        ("page-up", "\x1b[5~"),
        ("page-down", "\x1b[6~"),
        ("f1", "\x1bOP"),
        ("f4", "\x1bOS"),
        ("shift-f3", "\x1b[1;2R"),
        ("f5", "\x1b[15~"),
        ("f6", "\x1b[17~"),
        ("f10", "\x1b[21~"),
        ("f11", "\x1b[23~"),
        ("f12", "\x1b[24~"),
        ("ctrl-f12", "\x1b[24;5~"),
        ("ctrl-a", "\x01"),
        ("ctrl-c", "\x03"),
        ("ctrl-z", "\x1a"),
        ("ctrl- ", "\0"),
        ("ctrl-]", "\x1d"),
        ("ctrl-/", "\x1f"),
        ("ctrl-?", "\x7f"),
        ("ctrl-alt-a", "\x1b\x01"),
        ("alt-x", "\x1bx"),
        ("alt-X", "\x1bX"),
        ("alt--", "\x1b-"),
        ("alt-ü", "\x1bü"),
        ("ctrl-ü", "ü"),
    ] {
        assert_eq!(sent(key(name), NORMAL), expected, "{name}");
    }
}

#[test]
fn a_program_that_asks_for_it_gets_the_other_form_of_arrows_home_and_end() {
    for (name, expected) in [("up", "\x1bOA"), ("left", "\x1bOD"), ("home", "\x1bOH"), ("end", "\x1bOF")] {
        assert_eq!(sent(key(name), APPLICATION), expected, "{name}");
    }
    assert_eq!(sent(key("ctrl-up"), APPLICATION), "\x1b[1;5A", "only without anything held down");
    assert_eq!(sent(key("delete"), APPLICATION), "\x1b[3~");
}

#[test]
fn an_end_of_a_line_is_enter_and_no_text_presses_a_key() {
    assert_eq!(sent(text("grüße\n"), NORMAL), "grüße\r");
    assert_eq!(sent(text("a\tb\x1b[A\x03\u{9b}A"), NORMAL), "a\tb[AA");
    let pasted = |modes| sent(Stroke::Paste("one\r\ntwo\n\x1b[201~:!sh".to_owned()), modes);
    assert_eq!(pasted(NORMAL), "one\rtwo\r[201~:!sh");
    assert_eq!(pasted(APPLICATION), "\x1b[200~one\rtwo\r[201~:!sh\x1b[201~", "nothing pasted ends the paste");
}

#[test]
fn a_key_has_one_name_and_keeps_it() {
    for name in ["ctrl-c", "ctrl-alt-shift-f12", "page-up", "alt--", "shift-tab", "ctrl--", "alt-é", "f"] {
        let press = Press::parse(name).unwrap();

        assert_eq!(press.name(), name);
        assert_eq!(serde_json::to_string(&Stroke::Key(press)).unwrap(), format!("{{\"key\":{name:?}}}"));
    }
    for name in ["", "ctrl-", "f0", "f13", "f01", "hyper-x", "enter ", "ctrl-enterr", "\n", "ctrl-\x1b"] {
        assert_eq!(Press::parse(name), Err(press::NoSuchKey), "{name:?}");
    }
    assert_eq!(Press::ctrl('c').word(), "Ctrl+C");
    assert_eq!(Press::parse("alt-page-down").unwrap().word(), "Alt+Page down");
    assert!(serde_json::from_str::<Vec<Stroke>>(r#"[{"key":"f13"}]"#).is_err());
}

#[test]
fn what_is_typed_in_a_browser_goes_to_the_step() {
    let to_step = |name: &str, with: &str| match take(name, held(with)) {
        Taken::Stroke(stroke) => sent(stroke, NORMAL),
        other => panic!("{with} {name}: {other:?}"),
    };
    for (name, with, expected) in [
        ("a", "", "a"),
        ("A", "shift", "A"),
        ("€", "", "€"),
        (" ", "", " "),
        ("Enter", "", "\r"),
        ("Tab", "shift", "\x1b[Z"),
        ("ArrowUp", "", "\x1b[A"),
        ("ArrowUp", "ctrl-shift", "\x1b[1;6A"),
        ("F5", "", "\x1b[15~"),
        ("c", "ctrl", "\x03"),
        ("C", "ctrl", "\x03"),
        ("[", "ctrl", "\x1b"),
        ("x", "alt", "\x1bx"),
        ("X", "alt-shift", "\x1bX"),
        ("Escape", "", "\x1b"),
        ("v", "ctrl", "\x16"),
    ] {
        assert_eq!(to_step(name, with), expected, "{with} {name}");
    }
}

#[test]
fn there_is_a_way_out_and_the_browser_keeps_what_is_its_own() {
    assert_eq!(take("]", held("ctrl")), Taken::Leave);
    assert_eq!(take("Enter", held("ctrl")), Taken::Leave);
    for (name, with) in [
        ("v", "meta"),
        ("V", "ctrl-shift"),
        ("Insert", "shift"),
        ("+", "ctrl"),
        ("-", "ctrl"),
        ("0", "ctrl"),
        ("Shift", "shift"),
        ("Control", "ctrl"),
        ("AltGraph", ""),
        ("Dead", ""),
        ("Process", ""),
        ("Unidentified", ""),
        ("F13", ""),
    ] {
        assert_eq!(take(name, held(with)), Taken::Browser, "{with} {name}");
    }
}

#[test]
fn one_batch_is_on_its_way_at_a_time_and_text_grows_together() {
    let mut outbox = Outbox::default();
    assert_eq!(outbox.send(), None);

    outbox.add(text("i")).unwrap();
    assert_eq!(outbox.send(), Some(vec![text("i")]));
    for stroke in [text("h"), text("é"), key("up"), text("x")] {
        outbox.add(stroke).unwrap();
    }
    assert_eq!(outbox.send(), None, "the first has not arrived yet");
    outbox.arrived();
    assert_eq!(outbox.send(), Some(vec![text("hé"), key("up"), text("x")]));
}

#[test]
fn what_is_too_much_for_one_batch_is_given_back_and_what_waits_is_given_up_with_the_keyboard() {
    let mut outbox = Outbox::default();
    let much = Stroke::Paste("x".repeat(LIMIT));

    assert_eq!(outbox.add(much.clone()), Err(much));
    assert!(!outbox.give_up());
    outbox.add(text("x")).unwrap();
    assert!(outbox.give_up());
    assert_eq!(outbox.send(), None);
}

fn stroke() -> impl Strategy<Value = Stroke> {
    prop_oneof![
        4 => "\\PC{1,3}".prop_map(Stroke::Text),
        2 => prop::sample::select(vec!["up", "enter", "ctrl-c", "f12", "alt-x", "escape"]).prop_map(key),
        1 => "[a-z\n]{0,3000}".prop_map(Stroke::Paste),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_key_is_lost_or_overtaken_however_the_batches_fall(
        typed in prop::collection::vec((stroke(), any::<bool>()), 0..60),
    ) {
        let mut outbox = Outbox::default();
        let mut arrived = Vec::new();
        let mut flying: Option<Vec<Stroke>> = None;

        for (stroke, lands) in &typed {
            outbox.add(stroke.clone()).unwrap();
            if *lands && let Some(batch) = flying.take() {
                arrived.extend(batch);
                outbox.arrived();
            }
            if flying.is_none() {
                flying = outbox.send();
            }
        }
        while let Some(batch) = flying.take().or_else(|| outbox.send()) {
            prop_assert!(bytes(&batch, APPLICATION).len() <= LIMIT);
            arrived.extend(batch);
            outbox.arrived();
        }

        let all: Vec<Stroke> = typed.into_iter().map(|(stroke, _)| stroke).collect();
        prop_assert_eq!(bytes(&arrived, APPLICATION), bytes(&all, APPLICATION));
    }
}
