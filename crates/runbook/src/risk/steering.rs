//! Variables that steer programs: a pager, an editor, a folder with programs, code that is loaded.

use domain::Risk::Changes;

use super::options::{Does, of_value};
use super::{Verdict, Within, substitutions, words};
use crate::shell::{Shell, Word, assigned, assignments};

/// Names (a `*` at the end stands for any rest), what their value does, and why in a sentence.
pub(super) const STEERS: &[(&str, Does, &str)] = &[
    (
        "PAGER|GIT_PAGER|MANPAGER|PSQL_PAGER|SYSTEMD_PAGER|AWS_PAGER|GH_PAGER|BAT_PAGER|DELTA_PAGER|LESSOPEN|LESSCLOSE",
        Does::Starts,
        "programs start the pager that this names",
    ),
    (
        "EDITOR|VISUAL|GIT_EDITOR|GIT_SEQUENCE_EDITOR|SUDO_EDITOR|KUBE_EDITOR|SYSTEMD_EDITOR|PSQL_EDITOR|FCEDIT|BROWSER",
        Does::Starts,
        "programs start the editor that this names",
    ),
    (
        "GIT_SSH_COMMAND|GIT_SSH|GIT_EXTERNAL_DIFF|GIT_ASKPASS|SSH_ASKPASS|SUDO_ASKPASS|GIT_PROXY_COMMAND|KUBECTL_EXTERNAL_DIFF|RESTIC_PASSWORD_COMMAND|BORG_PASSCOMMAND|PROMPT_COMMAND",
        Does::Starts,
        "programs start what this names",
    ),
    ("RSYNC_RSH|CVS_RSH|BORG_RSH", Does::Carries, "programs start what this names"),
    ("BASH_ENV|ENV|PYTHONSTARTUP|PSQLRC", Does::Is(Changes), "programs first run the file that this names"),
    (
        "PATH|GIT_EXEC_PATH|CDPATH|MANPATH|PERL5LIB|RUBYLIB|PYTHONPATH|NODE_PATH|CLASSPATH",
        Does::Is(Changes),
        "programs are found in other folders",
    ),
    (
        "LD_*|DYLD_*|GCONV_PATH|PERL5OPT|RUBYOPT|NODE_OPTIONS|JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|JDK_JAVA_OPTIONS|PYTHONHOME",
        Does::Is(Changes),
        "programs load the code that this names",
    ),
    (
        "GIT_CONFIG*|TAR_OPTIONS|GREP_OPTIONS|RSYNC_OPTIONS|CURL_HOME|SHELLOPTS|BASHOPTS|HGRCPATH|OPENSSL_CONF",
        Does::Is(Changes),
        "programs have the settings that this names",
    ),
];

/// Prompts: the shell puts in what they hold.
const PROMPTS: [&str; 5] = ["PS0", "PS1", "PS2", "PS3", "PS4"];

/// What a text does by the variables that it sets.
pub(super) fn judge(shell: &Shell<'_>, within: Within<'_>) -> Option<Verdict> {
    // Nearly every text names none of them.
    let mut names = shell.text().split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    names.find(|name| is_steering(name))?;
    let seen = assignments(shell);
    let valued = seen.iter().filter_map(|(name, value)| assignment(name, value, within));
    let all = assigned(shell);
    let unseen = all.iter().filter(|name| !seen.iter().any(|(known, _)| known == *name));
    let unseen = unseen.filter(|name| is_steering(name));
    let unseen = unseen.map(|name| Verdict::new(Changes, format!("{name}="), "sets a variable that steers programs"));
    valued.chain(unseen).reduce(Verdict::or_worse)
}

/// Words of a wrapper that are assignments, as in `env NAME=value …`.
pub(super) fn words_of(words: &[Word], within: Within<'_>) -> Option<Verdict> {
    let pairs = words.iter().filter_map(|word| {
        let (name, value) = word.text.split_once('=')?;
        assignment(name, &word.with(value), within)
    });
    pairs.reduce(Verdict::or_worse)
}

fn is_steering(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_') && (line(name).is_some() || PROMPTS.contains(&name))
}

fn line(name: &str) -> Option<&'static (&'static str, Does, &'static str)> {
    STEERS.iter().find(|(names, ..)| names.split('|').any(|known| words::matches(known, name)))
}

fn assignment(name: &str, value: &Word, within: Within<'_>) -> Option<Verdict> {
    if PROMPTS.contains(&name) {
        return substitutions(&value.text, within);
    }
    let (_, does, reason) = line(name).filter(|_| !value.text.is_empty())?;
    of_value(*does, &format!("{name}="), value, reason, within)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_class_here_is_never_carried_and_takes_no_value() {
        let names = STEERS.iter().flat_map(|(names, ..)| names.split('|')).chain(PROMPTS);
        for name in names {
            let example = name.replace('*', "X");
            assert!(domain::steering::steers(&example), "{example}");
        }
    }
}
