//! What a command can do at worst.

use serde::{Deserialize, Serialize};

/// The four risk classes, from harmless to irrevocable. The rules that give them stand in the `runbook` crate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Looks only.
    #[default]
    Reads,
    /// Changes something that can be changed back.
    Changes,
    /// A service goes away for a while.
    Disrupts,
    /// Data, access or history is lost.
    Destroys,
}

impl Risk {
    /// The class as one word, as pages and `show` print it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Changes => "changes",
            Self::Disrupts => "disrupts",
            Self::Destroys => "destroys",
        }
    }

    /// The class after an administrator asked for another one: never a higher one, and what destroys at least disrupts.
    #[must_use]
    pub fn lowered_to(self, asked: Self) -> Self {
        let floor = if self == Self::Destroys { Self::Disrupts } else { Self::Reads };
        asked.max(floor).min(self)
    }
}

/// An administrator's rule: one command, by its exact text, counts as less than the rules say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lowering {
    /// The command's text as it stands in the document, blanks around it apart.
    pub command: String,
    /// The class that is asked for.
    pub class: Risk,
    /// Why, in a sentence for everybody who sees the step.
    pub reason: String,
}

impl Lowering {
    /// Whether it is about the command with this text.
    pub fn is_about(&self, text: &str) -> bool {
        self.command.trim() == text.trim()
    }
}

/// What a command was before an administrator lowered it. It stands beside the class for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lowered {
    /// The class that the rules give.
    pub from: Risk,
    /// The class that was asked for; the command's own may be higher.
    pub asked: Risk,
    /// The administrator's reason.
    pub reason: String,
}

impl Lowered {
    /// What a page says about it; `class` is the class that the command has now.
    pub fn sentence(&self, class: Risk) -> String {
        let Self { from, asked, reason } = self;
        let floor = if *asked < class {
            format!(" (asked for {}; what destroys stays at least {})", asked.word(), class.word())
        } else {
            String::new()
        };
        format!("lowered from {} by the administrator{floor}: {reason}", from.word())
    }
}

/// The class of a command after the administrator's rules, with what it was when one of them lowered it.
pub fn lowered(text: &str, class: Risk, rules: &[Lowering]) -> (Risk, Option<Lowered>) {
    let Some(rule) = rules.iter().find(|rule| rule.is_about(text)) else { return (class, None) };
    let now = class.lowered_to(rule.class);
    let lowered = (now < class).then(|| Lowered { from: class, asked: rule.class, reason: rule.reason.clone() });
    (now, lowered)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Risk; 4] = [Risk::Reads, Risk::Changes, Risk::Disrupts, Risk::Destroys];

    fn rule(command: &str, class: Risk) -> Lowering {
        Lowering { command: command.to_owned(), class, reason: "it is a practice stack".to_owned() }
    }

    #[test]
    fn lowering_never_raises_and_what_destroys_is_never_less_than_disrupts() {
        for class in ALL {
            for asked in ALL {
                let now = class.lowered_to(asked);

                assert!(now <= class, "{class:?} to {asked:?}");
                assert!(class != Risk::Destroys || now >= Risk::Disrupts, "{class:?} to {asked:?}");
                assert!(class == Risk::Destroys || now == asked.min(class), "{class:?} to {asked:?}");
            }
        }
    }

    #[test]
    fn only_the_exact_text_is_lowered() {
        let rules = [rule("docker system prune -a", Risk::Disrupts)];

        let (class, note) = lowered("docker system prune -a\n", Risk::Destroys, &rules);
        assert_eq!(class, Risk::Disrupts);
        assert_eq!(note.unwrap().from, Risk::Destroys);
        for other in ["docker system prune -a --volumes", "sudo docker system prune -a", "docker  system prune -a"] {
            assert_eq!(lowered(other, Risk::Destroys, &rules), (Risk::Destroys, None), "{other}");
        }
    }

    #[test]
    fn the_sentence_names_the_class_the_reason_and_the_floor() {
        let (class, note) = lowered("rm x", Risk::Destroys, &[rule("rm x", Risk::Reads)]);
        assert_eq!(
            note.unwrap().sentence(class),
            "lowered from destroys by the administrator (asked for reads; what destroys stays at least disrupts): it is a practice stack"
        );

        let (class, note) = lowered("make x", Risk::Changes, &[rule("make x", Risk::Reads)]);
        assert_eq!(note.unwrap().sentence(class), "lowered from changes by the administrator: it is a practice stack");
    }
}
