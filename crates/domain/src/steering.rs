//! Variables that steer a shell, or the programs that it starts, instead of carrying a value.
//!
//! Whoever sets one of them decides what a command does. So none of them is ever carried from one attempt to the next, and
//! no parameter may have such a name.

/// Names that steer.
const NAMES: &[&str] = &[
    // The shells themselves.
    "PATH",
    "IFS",
    "ENV",
    "CDPATH",
    "HOME",
    "SHELL",
    "PWD",
    "OLDPWD",
    "SHLVL",
    "_",
    "UID",
    "EUID",
    "PPID",
    "OPTIND",
    "OPTARG",
    "OPTERR",
    "PS0",
    "PS1",
    "PS2",
    "PS3",
    "PS4",
    "PROMPT_COMMAND",
    "PROMPT_DIRTRIM",
    "SHELLOPTS",
    "BASHOPTS",
    "POSIXLY_CORRECT",
    "GLOBIGNORE",
    "FIGNORE",
    "EXECIGNORE",
    "HISTFILE",
    "HISTCONTROL",
    "INPUTRC",
    "FCEDIT",
    "TMOUT",
    "TIMEFORMAT",
    "MAILCHECK",
    "MAILPATH",
    "COMP_WORDBREAKS",
    "FUNCNEST",
    "ZDOTDIR",
    "RANDOM",
    "SECONDS",
    "LINENO",
    // What waits for a person, or shows one something.
    "PAGER",
    "MANPAGER",
    "SYSTEMD_PAGER",
    "EDITOR",
    "VISUAL",
    "SUDO_EDITOR",
    "BROWSER",
    "TERM",
    "TERMINFO",
    "TERMINFO_DIRS",
    "SSH_ASKPASS",
    "SUDO_ASKPASS",
    "DEBIAN_FRONTEND",
    // What an interpreter or a library loads.
    "GCONV_PATH",
    "LOCPATH",
    "NLSPATH",
    "GLIBC_TUNABLES",
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "PYTHONINSPECT",
    "PERL5LIB",
    "PERL5OPT",
    "PERLLIB",
    "PERL5DB",
    "RUBYOPT",
    "RUBYLIB",
    "NODE_OPTIONS",
    "NODE_PATH",
    "CLASSPATH",
    "JAVA_TOOL_OPTIONS",
    "_JAVA_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "LUA_INIT",
    "LUA_PATH",
    "LUA_CPATH",
    "PHPRC",
    "OPENSSL_CONF",
    "OPENSSL_MODULES",
    "RUSTC_WRAPPER",
    "MAKEFLAGS",
    "AWKPATH",
    "GREP_OPTIONS",
    "TAR_OPTIONS",
    "RSYNC_RSH",
    "CVS_RSH",
    "BORG_RSH",
    // The same for single programs.
    "PSQL_PAGER",
    "AWS_PAGER",
    "GH_PAGER",
    "BAT_PAGER",
    "DELTA_PAGER",
    "KUBE_EDITOR",
    "SYSTEMD_EDITOR",
    "PSQL_EDITOR",
    "KUBECTL_EXTERNAL_DIFF",
    "RESTIC_PASSWORD_COMMAND",
    "BORG_PASSCOMMAND",
    "PSQLRC",
    "MANPATH",
    "RSYNC_OPTIONS",
    "CURL_HOME",
    "HGRCPATH",
];

/// Beginnings of families of such names.
const FAMILIES: &[&str] = &["LD_", "DYLD_", "BASH_", "MALLOC_", "GIT_", "LESS", "PORTAL_", "COMP_", "__"];

/// Beginnings of names that only say for whom git works. A run sets them itself, so that they are not carried either.
const PERSONS: &[&str] = &["GIT_AUTHOR_", "GIT_COMMITTER_"];

/// Whether a variable of this name steers a shell or its programs.
pub fn steers(name: &str) -> bool {
    let begins = |beginnings: &[&str]| beginnings.iter().any(|beginning| name.starts_with(beginning));
    NAMES.contains(&name) || begins(FAMILIES) && !begins(PERSONS)
}

/// Whether a word can be the name of a variable that a run carries.
pub fn can_be_carried(name: &str) -> bool {
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let persons = PERSONS.iter().any(|beginning| name.starts_with(beginning));
    begins
        && !persons
        && name.len() <= 128
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !steers(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_not_carried_and_what_only_has_a_value_is() {
        for name in
            ["PATH", "LD_PRELOAD", "BASH_ENV", "BASH_FUNC_ls%%", "IFS", "ENV", "PS4", "GIT_SSH_COMMAND", "LESSOPEN"]
        {
            assert!(steers(name) && !can_be_carried(name), "{name}");
        }
        assert!(
            !steers("GIT_AUTHOR_NAME") && !can_be_carried("GIT_AUTHOR_NAME"),
            "a run says itself for whom it works"
        );
        for name in ["VERSION", "COMPOSE_FILE", "_x1", "DOCKER_HOST", "PATHS"] {
            assert!(can_be_carried(name), "{name}");
        }
        for name in ["", "1a", "a b", "a;b", "é"] {
            assert!(!can_be_carried(name), "{name}");
        }
    }
}
