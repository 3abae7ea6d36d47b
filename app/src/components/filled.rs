//! Placeholders in prose and inline code, with the values that are known.

use std::collections::BTreeMap;

use domain::runbook::{Piece, Placeholder, filled_address, pieces_of_code, pieces_of_prose};
use leptos::prelude::*;

use super::command_text::{Visible, visible};

/// What the words around the commands stand for. Put into the context of what shows them; without it they stand as written.
#[derive(Clone, Debug)]
pub struct Filling {
    /// The words and their parameters.
    pub placeholders: Vec<Placeholder>,
    /// The values that are known.
    pub values: Signal<BTreeMap<String, String>>,
}

impl Filling {
    fn here() -> Option<Self> {
        use_context::<Self>().filter(|filling| !filling.placeholders.is_empty())
    }
}

/// Words of prose.
pub fn words(text: String) -> AnyView {
    match Filling::here() {
        Some(filling) => shown(pieces_of_prose(&text, &filling.placeholders), filling.values),
        None => visible(text),
    }
}

/// Inline code; an address in it that is complete is a link.
pub fn code(text: String) -> AnyView {
    let filling = Filling::here();
    let placeholders = filling.as_ref().map(|filling| filling.placeholders.clone()).unwrap_or_default();
    let values = filling.map(|filling| filling.values);
    let pieces = pieces_of_code(&text, &placeholders);
    let shown = move || {
        let known = values.map(|values| values.get()).unwrap_or_default();
        let inner = view! { <code>{pieces.iter().map(|piece| shown_piece(piece, &known)).collect_view()}</code> };
        match filled_address(&text, &placeholders, &known) {
            Some(address) => view! { <a href=address rel="external noopener">{inner}</a> }.into_any(),
            None => inner.into_any(),
        }
    };
    shown.into_any()
}

/// A link whose address may hold placeholders: it leads somewhere once all of them have values.
pub fn link(href: String, inner: Vec<AnyView>) -> AnyView {
    let filling = Filling::here();
    let touched = filling.filter(|filling| {
        pieces_of_code(&href, &filling.placeholders).iter().any(|piece| matches!(piece, Piece::Filled { .. }))
    });
    let Some(filling) = touched else {
        return view! { <a href=href rel="external noopener">{inner}</a> }.into_any();
    };
    // Without an address an anchor is words: nobody is sent to a host that the document made up.
    let address = move || filling.values.with(|values| filled_address(&href, &filling.placeholders, values));
    view! { <a href=address rel="external noopener">{inner}</a> }.into_any()
}

fn shown(pieces: Vec<Piece>, values: Signal<BTreeMap<String, String>>) -> AnyView {
    if pieces.iter().all(|piece| matches!(piece, Piece::Plain(_))) {
        return pieces.iter().map(|piece| shown_piece(piece, &BTreeMap::new())).collect_view().into_any();
    }
    (move || values.with(|values| pieces.iter().map(|piece| shown_piece(piece, values)).collect_view())).into_any()
}

fn shown_piece(piece: &Piece, values: &BTreeMap<String, String>) -> AnyView {
    match piece {
        Piece::Plain(text) => visible(text.clone()),
        Piece::Filled { text, parameter } => match values.get(parameter) {
            Some(value) => {
                view! { <var title=format!("stands for {text}")><Visible text=value.clone() /></var> }.into_any()
            }
            None => view! { <var data-open="" title="no value yet">{text.clone()}</var> }.into_any(),
        },
    }
}

/// Pieces as one text, with the values that are known.
pub fn told(pieces: Vec<Piece>, values: &BTreeMap<String, String>) -> String {
    let tell = |piece| match piece {
        Piece::Plain(text) => text,
        Piece::Filled { text, parameter } => values.get(&parameter).cloned().unwrap_or(text),
    };
    pieces.into_iter().map(tell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filling() -> Filling {
        let placeholder =
            |text: &str, name: &str| Placeholder { text: text.to_owned(), parameter: Some(name.to_owned()) };
        let values = [("domain".to_owned(), "example.org".to_owned()), ("odd".to_owned(), "a\u{202e}<b>".to_owned())];
        Filling {
            placeholders: vec![
                placeholder("your-domain.com", "domain"),
                placeholder("ODD", "odd"),
                placeholder("OPEN", "open"),
            ],
            values: Signal::stored(values.into()),
        }
    }

    fn html(view: impl FnOnce() -> AnyView, filling: Option<fn() -> Filling>) -> String {
        let owner = Owner::new_root(None);
        owner.with(|| {
            if let Some(filling) = filling {
                provide_context(filling());
            }
            view().to_html()
        })
    }

    #[test]
    fn an_address_in_inline_code_is_filled_and_linked() {
        let shown = html(|| code("https://grafana.your-domain.com/d".to_owned()), Some(filling));

        assert!(shown.contains("href=\"https://grafana.example.org/d\""), "{shown}");
        assert!(shown.contains("stands for your-domain.com"), "{shown}");
        assert!(!shown.contains(">your-domain.com"), "{shown}");
    }

    #[test]
    fn a_link_leads_nowhere_until_its_value_is_known() {
        let open = html(|| link("https://OPEN/x".to_owned(), vec!["there".into_any()]), Some(filling));
        let known = html(|| link("https://your-domain.com/x".to_owned(), vec!["there".into_any()]), Some(filling));
        let plain = html(|| link("https://OPEN/x".to_owned(), vec!["there".into_any()]), None);

        assert!(!open.contains("href"), "{open}");
        assert!(known.contains("href=\"https://example.org/x\""), "{known}");
        assert!(plain.contains("href=\"https://OPEN/x\""), "{plain}");
    }

    #[test]
    fn a_value_in_a_sentence_is_text_and_nothing_hides_in_it() {
        let shown = html(|| words("Ask ODD, then OPEN.".to_owned()), Some(filling));

        assert!(shown.contains("U+202E") && shown.contains("&lt;b&gt;"), "{shown}");
        assert!(shown.contains("data-open") && shown.contains("OPEN"), "{shown}");
        assert!(!shown.contains('\u{202e}'), "{shown}");
    }
}
