//! What can be jumped to, and which of it is meant by some words.

use std::collections::BTreeMap;

use domain::RunId;
use domain::run::StepStatus;
use domain::view::{HomeView, ProcedureRow, RunRow, SearchView, SearchedStep, Symptom};
use leptos_router::location::Url;

use crate::components::glyph::Sign;
use crate::components::pace::usual_words;

/// How many answers of one kind are shown.
const MOST: usize = 6;

const PROCEDURES: &str = "Procedures";
const SYMPTOMS: &str = "Symptoms";
const STEPS: &str = "Steps";
const RUNS: &str = "Runs";
const PAGES: &str = "Pages";
const HISTORY: &str = "History";

/// One place to jump to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The group that it stands in.
    pub kind: &'static str,
    /// Its sign.
    pub sign: Sign,
    /// What it is called.
    pub name: String,
    /// What else it is known by.
    pub about: String,
    /// Its path inside the portal.
    pub path: String,
}

/// Every place, kind by kind.
pub fn all(view: SearchView) -> Vec<Place> {
    let runs = runs(&view.home);
    let procedures = view.home.procedures.iter().map(procedure);
    let inside = view.symptoms.iter().map(symptom).chain(view.steps.iter().map(step));
    procedures.chain(inside).chain(runs.iter().map(run)).chain(pages()).collect()
}

fn symptom(symptom: &Symptom) -> Place {
    Place {
        kind: SYMPTOMS,
        sign: Sign::Warning,
        name: symptom.words.clone(),
        about: symptom.procedure.clone(),
        path: format!("/procedures/{}", symptom.slug),
    }
}

fn step(step: &SearchedStep) -> Place {
    let commands = if step.commands.is_empty() { String::new() } else { format!(". {}", step.commands) };
    Place {
        kind: STEPS,
        sign: Sign::Risk(step.risk),
        name: step.title.clone(),
        about: format!("step {} of {}{commands}", step.number, step.procedure),
        path: format!("/procedures/{}#{}", step.slug, step.anchor),
    }
}

fn procedure(row: &ProcedureRow) -> Place {
    let usual = row.usual.map_or_else(String::new, |usual| format!(", usual {}", usual_words(usual)));
    let subtitle = if row.subtitle.is_empty() { String::new() } else { format!(". {}", row.subtitle) };
    Place {
        kind: PROCEDURES,
        sign: Sign::Book,
        name: row.title.clone(),
        about: format!("up to {}{usual}{subtitle}", row.risk.word()),
        path: format!("/procedures/{}", row.slug),
    }
}

/// Open runs, then closed ones, newest first; each once.
fn runs(view: &HomeView) -> Vec<RunRow> {
    let of_procedures = view.procedures.iter().flat_map(|row| &row.runs);
    let known: BTreeMap<RunId, &RunRow> =
        view.running.iter().chain(&view.recent).chain(of_procedures).map(|row| (row.id, row)).collect();
    let (open, closed): (Vec<&RunRow>, Vec<&RunRow>) = known.into_values().rev().partition(|row| row.verdict.is_none());
    open.into_iter().chain(closed).cloned().collect()
}

fn run(row: &RunRow) -> Place {
    let stands = row.verdict.map_or(row.status.word(), |verdict| verdict.word());
    let reason = if row.reason.is_empty() { String::new() } else { format!(". {}", row.reason) };
    Place {
        kind: RUNS,
        sign: row.verdict.map_or(Sign::State(row.status), Sign::Verdict),
        name: format!("{} {}", row.id, row.title),
        about: format!("{stands}, {}, {}{reason}", row.by, row.target),
        path: format!("/runs/{}", row.id),
    }
}

fn pages() -> impl Iterator<Item = Place> {
    [
        ("Home", "/", Sign::Brand),
        ("History", "/history", Sign::Clock),
        ("Documents", "/documents", Sign::File),
        ("Account and second factor", "/account", Sign::Person),
    ]
    .into_iter()
    .map(|(name, path, sign)| Place {
        kind: PAGES,
        sign,
        name: name.to_owned(),
        about: String::new(),
        path: path.to_owned(),
    })
}

/// The places that have all words, kind by kind; a run by its number; and the history, which knows all runs.
pub fn matching(places: &[Place], words: &str) -> Vec<Place> {
    let wanted = split(words);
    let number = run_number(&wanted);
    let mut counts = BTreeMap::<&str, usize>::new();
    let mut answers: Vec<Place> = numbered(places, number).into_iter().collect();
    let begins = places.iter().any(|place| has_all(place, &wanted, At::Beginnings));
    let at = if begins { At::Beginnings } else { At::Anywhere };
    for place in places.iter().filter(|place| has_all(place, &wanted, at)) {
        let count = counts.entry(place.kind).or_default();
        if *count < MOST && answers.first() != Some(place) {
            *count += 1;
            answers.push(place.clone());
        }
    }
    answers.extend((!wanted.is_empty()).then(|| in_history(words.trim())));
    answers
}

fn split(words: &str) -> Vec<String> {
    words.split_whitespace().map(str::to_lowercase).collect()
}

/// Where in a text a word counts.
#[derive(Clone, Copy)]
enum At {
    /// Where a word begins: `OOM` is not in *room*.
    Beginnings,
    /// Anywhere, when nothing begins with it.
    Anywhere,
}

fn has_all(place: &Place, wanted: &[String], at: At) -> bool {
    let text = format!("{} {}", place.name, place.about).to_lowercase();
    let begins = |place: usize| !text[..place].ends_with(char::is_alphanumeric);
    wanted.iter().all(|word| match at {
        At::Beginnings => text.match_indices(word.as_str()).any(|(place, _)| begins(place)),
        At::Anywhere => text.contains(word.as_str()),
    })
}

/// The number in `123`, `run 123` and `run #123`.
fn run_number(wanted: &[String]) -> Option<u64> {
    let number = match wanted {
        [number] => number,
        [run, number] if run == "run" => number,
        _ => return None,
    };
    number.trim_start_matches('#').parse().ok()
}

/// The run with a number. One that is not in the lists can still be there.
fn numbered(places: &[Place], number: Option<u64>) -> Option<Place> {
    let path = format!("/runs/{}", number?);
    let known = places.iter().find(|place| place.path == path).cloned();
    Some(known.unwrap_or_else(|| Place {
        kind: RUNS,
        sign: Sign::State(StepStatus::Waiting),
        name: format!("Run {}", number.unwrap_or_default()),
        about: "by its number".to_owned(),
        path,
    }))
}

fn in_history(words: &str) -> Place {
    Place {
        kind: HISTORY,
        sign: Sign::Search,
        name: format!("Search all runs for “{words}”"),
        about: "titles and reasons".to_owned(),
        path: format!("/history?words={}", Url::escape(words)),
    }
}

/// The pieces of a text, and whether each is one of the words that were looked for.
pub fn marked(text: &str, words: &str) -> Vec<(String, bool)> {
    let mut wanted = split(words);
    // The longest first: `restore` before `rest`.
    wanted.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let mut pieces: Vec<(String, bool)> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let hit = wanted.iter().find_map(|word| beginning(rest, word));
        let piece = &rest[..hit.unwrap_or(first.len_utf8())];
        match pieces.last_mut() {
            Some((last, marked)) if *marked == hit.is_some() => last.push_str(piece),
            _ => pieces.push((piece.to_owned(), hit.is_some())),
        }
        rest = &rest[piece.len()..];
    }
    pieces
}

/// How many bytes of a text say a word that is given in small letters, when it begins with it.
fn beginning(text: &str, word: &str) -> Option<usize> {
    let mut left = word.chars();
    let mut length = 0;
    for character in text.chars() {
        if left.as_str().is_empty() {
            break;
        }
        for small in character.to_lowercase() {
            (left.next() == Some(small)).then_some(())?;
        }
        length += character.len_utf8();
    }
    left.as_str().is_empty().then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(kind: &'static str, name: &str, about: &str, path: &str) -> Place {
        Place { kind, sign: Sign::Book, name: name.to_owned(), about: about.to_owned(), path: path.to_owned() }
    }

    fn known() -> Vec<Place> {
        vec![
            place(PROCEDURES, "Restore from Backup", "up to destroys", "/procedures/restore"),
            place(PROCEDURES, "Restart the backend", "up to disrupts", "/procedures/restart"),
            place(RUNS, "12 Restore from Backup", "reached, Olga Marin, prod-1", "/runs/12"),
        ]
    }

    fn addresses(words: &str) -> Vec<String> {
        matching(&known(), words).into_iter().map(|place| place.path).collect()
    }

    #[test]
    fn all_words_have_to_be_in_a_name_or_beside_it() {
        assert_eq!(addresses("destroys REST"), ["/procedures/restore", "/history?words=destroys%20REST"]);
    }

    #[test]
    fn without_words_everything_is_an_answer_and_nothing_is_searched_for() {
        assert_eq!(addresses(" "), ["/procedures/restore", "/procedures/restart", "/runs/12"]);
    }

    #[test]
    fn a_run_is_found_by_its_number_whether_it_is_in_the_lists_or_not() {
        assert_eq!(addresses("run 12"), ["/runs/12", "/history?words=run%2012"]);
        assert_eq!(addresses("#99"), ["/runs/99", "/history?words=%2399"]);
    }

    #[test]
    fn a_word_counts_where_words_begin_and_elsewhere_only_when_none_does() {
        let places = [place(PROCEDURES, "Make Room", "", "/room"), place(SYMPTOMS, "restarted (OOM)", "", "/oom")];
        let first = |words: &str| matching(&places, words).first().map(|place| place.path.clone());

        assert_eq!(first("oom").as_deref(), Some("/oom"));
        assert_eq!(first("ake").as_deref(), Some("/room"));
    }

    #[test]
    fn a_kind_with_many_answers_does_not_hide_the_next_kind() {
        let mut places: Vec<Place> =
            (0..20).map(|number| place(PROCEDURES, "Look", "", &format!("/procedures/{number}"))).collect();
        places.push(place(RUNS, "7 Look", "", "/runs/7"));

        let answers = matching(&places, "look");

        assert_eq!(answers.iter().filter(|place| place.kind == PROCEDURES).count(), MOST);
        assert!(answers.iter().any(|place| place.kind == RUNS));
    }

    #[test]
    fn hits_are_marked_in_the_letters_of_the_text() {
        let pieces = marked("Restore the REST", "rest restore");

        let hits: Vec<&str> = pieces.iter().filter(|(_, hit)| *hit).map(|(piece, _)| piece.as_str()).collect();
        assert_eq!(hits, ["Restore", "REST"]);
        assert_eq!(pieces.iter().map(|(piece, _)| piece.as_str()).collect::<String>(), "Restore the REST");
    }
}
