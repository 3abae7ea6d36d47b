//! Nothing of a file is ever dropped, whatever Markdown it holds.

use std::collections::HashSet;

use domain::runbook::Document;
use proptest::prelude::*;
use serde_json::Value;

/// Proves that the words of every line of a text stand somewhere in the document that was read from it.
///
/// Signs that carry no words are left out: markers of lists, ticks and quotes, fences with their language, tags of HTML,
/// entities, and anchors of this file (they lead to pages). Text that was encoded twice is compared as the document shows it, or as it stands in code.
pub fn prove(document: &Document, text: &str) {
    let known = words_of(&serde_json::to_value(document).unwrap());

    for (index, line) in text.lines().enumerate() {
        for word in words(&bare(line)) {
            let broken = !word.is_ascii();
            assert!(broken || known.contains(word.as_str()), "line {}: “{word}” of “{line}” is lost", index + 1);
        }
    }
}

fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn words_of(value: &Value) -> HashSet<String> {
    match value {
        Value::String(text) => words(text).into_iter().collect(),
        Value::Array(values) => values.iter().flat_map(words_of).collect(),
        Value::Object(values) => values.values().flat_map(words_of).collect(),
        _ => HashSet::new(),
    }
}

/// A line without signs that carry no words.
fn bare(line: &str) -> String {
    let mut rest = line.trim_start();
    loop {
        let digits = rest.chars().take_while(char::is_ascii_digit).count();
        let after = &rest[digits..];
        let numbered = (1..10).contains(&digits)
            && after.starts_with(['.', ')'])
            && !after[1..].starts_with(|c: char| !c.is_whitespace());
        let stripped = if numbered {
            Some(&after[1..])
        } else {
            ["- ", "* ", "+ ", ">", "[ ] ", "[x] ", "[X] "].iter().find_map(|marker| rest.strip_prefix(marker))
        };
        match stripped {
            Some(next) => rest = next.trim_start(),
            None => break,
        }
    }
    if let Some(info) = rest.strip_prefix("```").or_else(|| rest.strip_prefix("~~~")) {
        rest = info.split_once(' ').map_or("", |(_, more)| more);
    }
    without_entities(&without_tags(&without_anchors(rest)))
}

fn without_anchors(text: &str) -> String {
    let mut pieces = text.split("](#");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |plain, piece| plain + "] " + piece.split_once(')').map_or("", |(_, after)| after))
}

fn without_tags(text: &str) -> String {
    let names = ["div", "h3", "p", "br", "b", "a", "img", "details", "summary"];
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        plain.push_str(&rest[..at]);
        plain.push(' ');
        let inner = rest[at + 1..].trim_start_matches('/');
        let name: String = inner.chars().take_while(char::is_ascii_alphanumeric).collect();
        let tag = names.contains(&name.to_lowercase().as_str());
        let end = rest[at..].find('>').map_or(rest.len(), |end| at + end + 1);
        rest = if tag { &rest[end..] } else { &rest[at + 1..] };
    }
    plain.push_str(rest);
    plain
}

fn without_entities(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        plain.push_str(&rest[..at]);
        let end = rest[at..].find(';').map_or(at + 1, |end| at + end + 1);
        let entity = rest[at + 1..end].chars().all(|c| c.is_ascii_alphanumeric() || c == '#' || c == ';');
        rest = if entity { &rest[end..] } else { &rest[at + 1..] };
        plain.push(' ');
    }
    plain.push_str(rest);
    plain
}

fn line() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "alpha",
        "bravo",
        "charlie",
        "delta",
        "echo",
        "**foxtrot**",
        "`golf`",
        "_hotel_",
        "[india](#steps)",
        "[juliett](https://a.example/kilo)",
        "<lima>",
        "<br>",
        "mike|november",
        "~~oscar~~",
        "![papa](quebec.png \"romeo\")",
        "&amp;",
        "sierra\\*",
        "$TANGO",
        "/path/to/uniform",
        "☃",
        "ðŸš€",
        "[victor][whiskey]",
        "[^1]",
        "<!-- xray -->",
        "yankee.com",
        "\"zulu\"",
        "'",
        "$(",
        ")",
        "| sh",
        "<<EOF",
    ]);
    let lead = prop::sample::select(vec![
        "",
        "",
        "",
        "# ",
        "## ",
        "### ",
        "#### ",
        "- ",
        "  - ",
        "1. ",
        "2. ",
        "   ",
        "      ",
        "> ",
        ">> ",
        "```",
        "```bash",
        "   ```bash",
        "   ```",
        "~~~ sh",
        "| ",
        "|---|---|",
        "---",
        "===",
        "\t",
        "[whiskey]: ",
        "[^1]: ",
        "* * *",
        "<div>",
        "</div>",
        "- [x] ",
        "$ ",
        "# Option 1: ",
        "### Steps ",
        "### Rollback ",
        "## Table of Contents ",
        "1. **Lead** ",
        "<!-- ",
        "-->",
    ]);
    (lead, prop::collection::vec(word, 0..6)).prop_map(|(lead, words)| format!("{lead}{}", words.join(" ")))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_word_of_random_markdown_is_lost(lines in prop::collection::vec(line(), 0..40)) {
        let text = lines.join("\n");

        match runbook::read("random.md", text.as_bytes(), None) {
            Ok(document) => prove(&document, &text),
            Err(error) => {
                let empty = matches!(error, runbook::ReadError::Empty { .. });
                prop_assert!(empty);
            }
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,300}", side in "\\PC{0,200}") {
        let _ = runbook::read("any.md", text.as_bytes(), Some(("any.portal.toml", side.as_bytes())));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = runbook::read("any.md", &bytes, Some(("any.portal.toml", &bytes)));
    }

    #[test]
    fn no_shell_text_makes_the_rules_panic(text in "[a-z$(){}|&;<>'\"` \\n\\\\#=*-]{0,80}") {
        let _ = runbook::risk::classify(&text);
        let _ = runbook::read("any.md", format!("# A\n\n## Steps\n\n```bash\n{text}\n```\n").as_bytes(), None);
        let _ = runbook::bind(&text, &[("a", "value")]);
    }
}
