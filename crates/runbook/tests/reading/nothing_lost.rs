//! Nothing of a file is ever dropped, whatever Markdown it holds.

use std::collections::HashSet;

use domain::runbook::Document;
use proptest::prelude::*;
use serde_json::Value;

use crate::bare::bare;

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

/// Proves the same, and that the last net kept no more lines than Markdown itself does not show: all others are where the
/// reading has put them.
pub fn prove_with_net(path: &str, text: &str, caught: usize) {
    let (document, kept) = runbook::read_and_count(path, text.as_bytes()).unwrap();

    assert_eq!(kept, caught, "lines of {path} that only the net kept");
    prove(&document, text);
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
