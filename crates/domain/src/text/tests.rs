use super::*;

/// What of a text is marked: each character with its mark.
fn marked(text: &str, reading: Reading) -> Vec<(char, Mark)> {
    marks(text, reading).into_iter().filter_map(|(at, mark)| Some((text[at..].chars().next()?, mark))).collect()
}

fn alike(text: &str, reading: Reading) -> String {
    let found = marked(text, reading);
    assert!(found.iter().all(|(_, mark)| *mark == Mark::Alike), "{text}: {found:?}");
    found.into_iter().map(|(character, _)| character).collect()
}

#[test]
fn a_text_of_several_lines_is_one_line_of_a_bounded_length() {
    assert_eq!(one_line(" data\r\n is\tcorrupt \u{2028}now ", 40), "data is corrupt now");
    assert_eq!(one_line("äöüäöü", 6), "äöüäöü");
    assert_eq!(one_line("äöüäöü!", 6), "äöüäö…");
}

#[test]
fn what_deceives_the_eye_is_visible() {
    assert_eq!(one_line("ok\u{202e}ko\u{200b}\0", 40), "ok\u{fffd}ko\u{fffd}\u{fffd}");
    assert_eq!(one_line("ok\u{e0041}\u{3164}!", 40), "ok\u{fffd}\u{fffd}!");
}

#[test]
fn whatever_shows_nothing_or_turns_text_around_is_marked_whoever_reads_it() {
    // One line for each kind of Unicode TR36 and UTS 39; the first and the last of a range where it is one.
    let kinds = [
        ("controls", "\0\u{8}\u{b}\u{c}\r\u{1b}\u{1f}\u{7f}\u{80}\u{85}\u{9f}"),
        ("blanks that are no blank", "\u{a0}\u{1680}\u{2000}\u{2007}\u{200a}\u{202f}\u{205f}\u{3000}"),
        ("line and paragraph separators", "\u{2028}\u{2029}"),
        ("bidi controls", "\u{61c}\u{200e}\u{200f}\u{202a}\u{202e}\u{2066}\u{2069}"),
        ("no width", "\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}"),
        ("soft hyphen and joiners", "\u{ad}\u{34f}\u{180e}"),
        ("invisible operators", "\u{2061}\u{2064}\u{206a}\u{206f}"),
        ("fillers", "\u{115f}\u{1160}\u{3164}\u{ffa0}\u{17b4}\u{17b5}"),
        ("variation selectors", "\u{180b}\u{180d}\u{fe00}\u{fe0f}\u{e0100}\u{e01ef}"),
        ("tags", "\u{e0001}\u{e0020}\u{e007f}"),
        ("interlinear and musical", "\u{fff9}\u{fffb}\u{1bca0}\u{1d173}\u{1d17a}"),
        ("ink without ink", "\u{2800}\u{1d159}"),
        ("whatever a font makes of it", "\u{e000}\u{f8ff}\u{10fffd}\u{378}\u{fdd0}\u{ffff}"),
    ];
    for (kind, characters) in kinds {
        for character in characters.chars() {
            assert!(deceives(character), "{kind}: U+{:04X}", u32::from(character));
            for reading in [Reading::Prose, Reading::Command] {
                let text = format!("a{character}b");
                assert_eq!(
                    marked(&text, reading),
                    [(character, Mark::Hidden)],
                    "{kind}: U+{:04X}",
                    u32::from(character)
                );
            }
        }
    }
    for character in "\t\n az09~äéß—„“’€→日本語नम🗑✓·".chars() {
        assert!(!deceives(character), "{character}");
    }
}

#[test]
fn a_mark_needs_something_to_stand_on_and_does_not_grow_into_other_lines() {
    let hidden = |text: &str| marked(text, Reading::Prose).len();

    assert_eq!(hidden("e\u{301}a\u{308}"), 0, "an accent on a letter");
    assert_eq!(hidden("\u{338}rm"), 1, "at the very start");
    assert_eq!(hidden("rm \u{338}x"), 1, "on a blank");
    assert_eq!(hidden("rm\n\u{338}x"), 1, "on a line end");
    assert_eq!(hidden("a\u{200b}\u{301}"), 2, "on what shows nothing");
    assert_eq!(hidden(&format!("a{}", "\u{301}".repeat(6))), 2, "more than four on one letter");
}

#[test]
fn the_selector_that_makes_a_sign_an_emoji_is_part_of_it_in_prose() {
    assert_eq!(marked("🗑\u{fe0f} Restore", Reading::Prose), []);
    assert_eq!(marked("rm\u{fe0f}", Reading::Prose), [('\u{fe0f}', Mark::Hidden)]);
    assert_eq!(marked("1\u{fe0f}", Reading::Prose), [('\u{fe0f}', Mark::Hidden)]);
    assert_eq!(marked("./🗑\u{fe0f}", Reading::Command), [('🗑', Mark::Alike), ('\u{fe0f}', Mark::Hidden)]);
}

#[test]
fn what_the_shell_takes_as_a_name_is_ascii_or_marked() {
    let cases = [
        ("rm -r /srv", ""),
        ("rм -r /srv", "м"),
        ("sudo dоcker stop app", "о"),
        ("rm –rf /srv", "–"),
        ("ls /srv/Müller", "ü"),
        ("ls \"/srv/бак\" '/x/é'", "бакé"),
        ("ls \"$HOME/é\" '~/ü'", "éü"),
        ("curl 'https://exаmple.org/'", "а"),
        ("docker stop арр", "арр"),
        ("echo \"$(rм x)\"", "м"),
        ("echo \"`rм x`\"", "м"),
        ("a='x'; ℓs", "ℓ"),
        ("echo it\\'s; é", "é"),
    ];
    for (text, expected) in cases {
        assert_eq!(alike(text, Reading::Command), expected, "{text}");
    }
}

#[test]
fn prose_keeps_its_accents_and_its_script() {
    let prose = [
        "Straße, café, naïve, Ærø, łódź, ığdır, Việt Nam",
        "Проверить журнал и перезапустить",
        "Έλεγχος του αρχείου",
        "データベースを復元する",
        "nginxを再起動",
        "백업 복원",
        "übergabe: 10 µs, 5 Ω, 2² — „so“ → 3 €",
        "ℹ wait ①",
        "either/or für Größe",
    ];
    for text in prose {
        assert_eq!(alike(text, Reading::Prose), "", "{text}");
        let quoted = format!("echo '{text}' # {text}\n");
        assert_eq!(alike(&quoted, Reading::Command), "", "{quoted}");
    }
}

#[test]
fn a_look_alike_in_prose_or_a_value_is_marked() {
    let cases = [
        ("Restоre database", "о"),
        ("Lеna", "е"),
        ("prod арр", "арр"),
        ("ｌatest.dump", "ｌ"),
        ("𝐥atest １", "𝐥１"),
        ("ɑpp", "ɑ"),
        ("ⅰnit", "ⅰ"),
        ("/backups/lаtest.dump", "а"),
        ("from /backups/é or (~/ü)", "éü"),
    ];
    for (text, expected) in cases {
        assert_eq!(alike(text, Reading::Prose), expected, "{text}");
        assert_eq!(alike(&format!("echo \"{text}\""), Reading::Command), expected, "{text}");
    }
}

#[test]
fn thousands_of_blanks_are_a_number() {
    let long = format!("ls{}; rm", " ".repeat(2000));
    assert_eq!(marks(&long, Reading::Command), [(2, Mark::Blanks { blanks: 2000, lines: 0 })].into());

    let deep = format!("ls\n{}rm", "\t\n".repeat(30));
    assert_eq!(marks(&deep, Reading::Prose), [(2, Mark::Blanks { blanks: 30, lines: 31 })].into());

    let indented = format!("if x; then\n{}y", " ".repeat(39));
    assert_eq!(marks(&indented, Reading::Command), std::collections::BTreeMap::new());
}
