//! Which words of the text around commands a parameter fills.

use domain::runbook::{
    Inline, Item, ParameterKind, PartContent, PartKind, Piece, Placeholder, Procedure, Prose, Step, StepContent,
    pieces_of_code, pieces_of_prose,
};

use super::apply::in_scope;

/// The words in the text of a step that a parameter of its scope fills, each once. Secrets fill nothing that is read.
pub fn filled_in_step(procedure: &Procedure, step: &Step) -> Vec<Placeholder> {
    let mut found = Found::in_scope_of(procedure, &step.title);
    for content in &step.content {
        match content {
            StepContent::Prose { prose } => found.prose(prose),
            StepContent::Note { prose } => prose.iter().for_each(|prose| found.prose(prose)),
            StepContent::Item { item } => found.item(item),
            StepContent::Block { .. } => {}
        }
    }
    found.found
}

/// The same for the lines of the expected outcome.
pub fn filled_in_outcome(procedure: &Procedure) -> Vec<Placeholder> {
    let mut found = Found::in_scope_of(procedure, "");
    let outcome = procedure.parts.iter().filter(|part| part.kind == PartKind::Outcome);
    for content in outcome.flat_map(|part| &part.content) {
        match content {
            PartContent::Prose { prose } => found.prose(prose),
            PartContent::Item { item } => found.item(item),
            PartContent::Step { .. } => {}
        }
    }
    found.found
}

struct Found {
    scope: Vec<Placeholder>,
    found: Vec<Placeholder>,
}

impl Found {
    fn in_scope_of(procedure: &Procedure, step: &str) -> Self {
        let parameters = &procedure.settings.parameters;
        let secret = |name: &str| {
            parameters.iter().any(|parameter| parameter.name == name && parameter.kind == ParameterKind::Secret)
        };
        // Commands are counted from 1: what holds for one of them alone holds for no text.
        let holding = in_scope(parameters, step, 0).into_iter().filter(|filled| !secret(filled.parameter));
        let scope = holding
            .map(|filled| Placeholder { text: filled.text.to_owned(), parameter: Some(filled.parameter.to_owned()) });
        Self { scope: scope.collect(), found: Vec::new() }
    }

    fn keep(&mut self, pieces: Vec<Piece>) {
        for piece in pieces {
            let Piece::Filled { text, parameter } = piece else { continue };
            let placeholder = Placeholder { text, parameter: Some(parameter) };
            if !self.found.contains(&placeholder) {
                self.found.push(placeholder);
            }
        }
    }

    fn words(&mut self, words: &[Inline]) {
        for word in words {
            match word {
                Inline::Text { text } => self.keep(pieces_of_prose(text, &self.scope)),
                Inline::Code { text } => self.keep(pieces_of_code(text, &self.scope)),
                Inline::Link { href, words } => {
                    self.keep(pieces_of_code(href, &self.scope));
                    self.words(words);
                }
                Inline::Emphasis { words } | Inline::Strong { words } | Inline::Struck { words } => self.words(words),
                Inline::Break => {}
            }
        }
    }

    fn item(&mut self, item: &Item) {
        self.words(&item.words);
        item.items.iter().for_each(|item| self.item(item));
    }

    fn prose(&mut self, prose: &Prose) {
        match prose {
            Prose::Paragraph { words, .. } | Prose::Heading { words, .. } => self.words(words),
            Prose::List { items, .. } => items.iter().flatten().for_each(|prose| self.prose(prose)),
            Prose::Quote { content, .. } => content.iter().for_each(|prose| self.prose(prose)),
            Prose::Table { head, rows, .. } => {
                head.iter().chain(rows.iter().flatten()).for_each(|cell| self.words(cell));
            }
            Prose::Code { .. } | Prose::Rule { .. } => {}
        }
    }
}
