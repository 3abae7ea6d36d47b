//! The look at the target before the first step, and what it offers to choose from.

use domain::approval::Standing;
use domain::look::{Choices, Look};
use leptos::prelude::*;
use leptos::task::spawn_local_scoped_with_cancellation;

use super::ago::Ago;
use super::command_text::visible;
use super::evidence::evidence_row;
use crate::AppError;
use crate::base::portal_path;

/// What was seen of the target, for all parts of a page. Without scripts it is what the server has seen, if it was asked to look.
#[derive(Clone, Copy)]
pub struct Seen {
    look: RwSignal<Option<Result<Look, AppError>>>,
    looking: RwSignal<bool>,
}

impl Seen {
    /// Puts it into the context, with what the server has seen.
    pub fn provide(first: Option<Result<Look, AppError>>) -> Self {
        let seen = Self { look: RwSignal::new(first), looking: RwSignal::new(false) };
        provide_context(seen);
        seen
    }

    /// Looks, in the browser. To be called from an effect: the next look from there lets go of this one.
    pub fn ask(self, look: impl Future<Output = Result<Look, AppError>> + 'static) {
        self.looking.set(true);
        spawn_local_scoped_with_cancellation(async move {
            let answer = look.await;
            self.looking.set(false);
            self.look.set(Some(answer));
        });
    }

    /// Whether what was seen is of this target.
    pub fn is_of(self, target: &str) -> bool {
        self.look.with_untracked(|look| matches!(look, Some(Ok(look)) if look.target == target))
    }

    /// Forgets it: another target has other things.
    pub fn forget(self) {
        self.look.set(None);
    }

    /// What there is to choose from for a parameter.
    pub fn choices_of(self, parameter: String) -> Memo<Option<Choices>> {
        Memo::new(move |_| self.look.with(|look| look.as_ref()?.as_ref().ok()?.choices_of(&parameter).cloned()))
    }
}

/// The list, or where it can be had: `links` are the paths that let the server look, with what each is about.
#[component]
pub fn LookList(seen: Seen, links: Vec<(String, String)>) -> impl IntoView {
    let links = StoredValue::new(links);
    let list = move || match seen.look.get() {
        Some(Ok(look)) => found(&look),
        Some(Err(error)) => view! { <p class="small">{error.to_string()}</p> }.into_any(),
        None if seen.looking.get() => view! { <p class="quiet small">"The portal looks at the target…"</p> }.into_any(),
        None => links.with_value(|links| ways(links)),
    };
    view! {
        <section class="panel" aria-labelledby="look-title" id="look">
            <header>
                <h2 id="look-title">"Before the first step"</h2>
                <span aria-live="polite">{move || seen.look.with(|look| standing(look.as_ref()))}</span>
            </header>
            {list}
        </section>
    }
    .into_any()
}

/// Where a browser without scripts finds it.
fn ways(links: &[(String, String)]) -> AnyView {
    let ways = links
        .iter()
        .map(|(path, words)| view! { <li><a href=portal_path(path) rel="external">{words.clone()}</a></li> })
        .collect_view();
    view! {
        <p class="small">"The portal can look whether everything is there. It only reads."</p>
        <ul class="words">{ways}</ul>
    }
    .into_any()
}

fn found(look: &Look) -> AnyView {
    let rows = look.items.iter().map(evidence_row).collect_view();
    view! {
        <ul class="checks">{rows}</ul>
        <p class="quiet small">
            {visible(format!("Looked at {}, {}, ", look.target, look.place))}
            <Ago at=look.at />
            ", by reading only. Nothing waits for it."
        </p>
    }
    .into_any()
}

/// `all good`, `2 to look at`, `1 to look at, 3 not known`
fn standing(look: Option<&Result<Look, AppError>>) -> Option<String> {
    let items = &look?.as_ref().ok()?.items;
    let count = |standing| items.iter().filter(|item| item.standing == standing).count();
    let some = |count: usize, words: &str| (count > 0).then(|| format!("{count} {words}"));
    let parts: Vec<String> = [some(count(Standing::Look), "to look at"), some(count(Standing::Unknown), "not known")]
        .into_iter()
        .flatten()
        .collect();
    Some(if parts.is_empty() { "all good".to_owned() } else { parts.join(", ") })
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use domain::approval::EvidenceItem;

    use super::*;

    #[test]
    fn a_look_is_summed_up_in_a_few_words() {
        let of = |standings: &[Standing]| {
            let item = |standing: &Standing| EvidenceItem {
                name: "x".to_owned(),
                standing: *standing,
                result: String::new(),
                saw: Vec::new(),
                bound: None,
            };
            let items = standings.iter().map(item).collect();
            let (target, place) = ("prod".to_owned(), "x".to_owned());
            standing(Some(&Ok(Look { at: Timestamp(0), target, place, items, choices: Vec::new() }))).unwrap()
        };

        assert_eq!(of(&[Standing::Good]), "all good");
        assert_eq!(of(&[Standing::Good, Standing::Look, Standing::Unknown]), "1 to look at, 1 not known");
        assert_eq!(standing(Some(&Err(AppError::NotFound))), None);
    }
}
