//! What a line of Markdown says, without the signs that only say how.

/// A line without signs that carry no words.
pub fn bare(line: &str) -> String {
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
