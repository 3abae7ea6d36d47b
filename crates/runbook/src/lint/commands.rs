//! Findings about one command: what does not work as it is written, and what prints or keeps secrets.

use domain::runbook::{Command, Level};

use crate::shell::{Redirect, Shell, Word, calls};
use crate::{retired, risk};

/// A finding without its place.
pub(super) struct Said {
    pub(super) level: Level,
    pub(super) code: &'static str,
    pub(super) message: String,
}

/// One program of a command.
struct Program<'c> {
    name: String,
    words: &'c [Word],
    redirects: &'c [Redirect],
}

impl Program<'_> {
    fn texts(&self) -> impl Iterator<Item = &str> {
        self.words.iter().skip(1).map(|word| word.text.as_str())
    }

    fn has(&self, options: &[&str]) -> bool {
        self.texts().any(|text| options.contains(&text))
    }

    /// A letter among short options.
    fn letter(&self, letter: char) -> bool {
        self.texts().any(|text| text.starts_with('-') && !text.starts_with("--") && text[1..].contains(letter))
    }

    fn is_compose(&self) -> bool {
        matches!(self.name.as_str(), "docker-compose" | "podman-compose")
            || (matches!(self.name.as_str(), "docker" | "podman") && self.has(&["compose"]))
    }

    /// What stands after a verb of compose or docker, without options.
    fn after(&self, verb: &str) -> Option<Vec<&str>> {
        let at = self.words.iter().position(|word| word.text == verb)?;
        Some(self.words[at + 1..].iter().map(|word| word.text.as_str()).filter(|text| !text.starts_with('-')).collect())
    }
}

const RULES: &[fn(&Program<'_>) -> Option<Said>] = &[
    image_as_service,
    several_files,
    curl_braces,
    mongo_shell,
    secrets_of_env_file,
    secrets_of_compose,
    secrets_of_environment,
    docker_login,
    waits_for_answer,
    needs_keyboard,
];

/// What there is to say about a command.
pub(super) fn command(command: &Command) -> Vec<Said> {
    let Some(shell) = Shell::parse(&command.text) else { return Vec::new() };
    let (calls, redirects) = calls(&shell);
    let mut said: Vec<Said> = Vec::new();
    for call in &calls {
        let outer = risk::unwrapped(&call.words);
        let inner = risk::innermost(&call.words);
        let wrapped = inner.len() != outer.len();
        for words in std::iter::once(outer).chain(wrapped.then_some(inner)) {
            let name = words.first().map_or("", |word| word.text.rsplit('/').next().unwrap_or_default()).to_owned();
            let program = Program { name, words, redirects: &redirects };
            said.extend(RULES.iter().filter_map(|rule| rule(&program)));
        }
    }
    let mut once: Vec<Said> = Vec::new();
    for one in said {
        if !once.iter().any(|other| other.code == one.code && other.message == one.message) {
            once.push(one);
        }
    }
    once
}

#[expect(clippy::unnecessary_wraps, reason = "the last expression of each rule")]
fn warning(code: &'static str, message: impl Into<String>) -> Option<Said> {
    Some(Said { level: Level::Warning, code, message: message.into() })
}

/// `compose pull adonisjs:1.2`.
fn image_as_service(program: &Program<'_>) -> Option<Said> {
    if !program.is_compose() {
        return None;
    }
    let verb = ["pull", "up", "restart", "stop"].into_iter().find(|verb| program.has(&[verb]))?;
    let image = program
        .after(verb)?
        .into_iter()
        .find(|word| word.contains(':') && !word.contains('=') && !word.contains("//"))?;
    warning(
        "image-as-service",
        format!(
            "{verb} takes services, and {image} is an image with a tag, so this ends with “no such service”; write the tag into the compose file, or use docker pull."
        ),
    )
}

/// `compose -f backup-*.yml`.
fn several_files(program: &Program<'_>) -> Option<Said> {
    if !program.is_compose() {
        return None;
    }
    let pairs = program.words.windows(2).find(|pair| matches!(pair[0].text.as_str(), "-f" | "--file"))?;
    let (file, quoted) = (&pairs[1].text, pairs[1].quoted && !pairs[1].text.contains("$("));
    (file.contains(['*', '?']) && !quoted).then_some(())?;
    warning(
        "several-files",
        format!(
            "-f takes one file: when two match {file}, the second one is taken for the command. Name one file. A compose file in another folder is also another project, with containers of its own."
        ),
    )
}

/// `curl "…{…}"` without `-g`.
fn curl_braces(program: &Program<'_>) -> Option<Said> {
    if program.name != "curl" || program.letter('g') || program.has(&["--globoff"]) {
        return None;
    }
    let url = program.texts().find(|text| text.contains("://") && (text.contains('{') || text.contains('[')))?;
    let plain = !url.contains("${") || url.replace("${", "").contains('{');
    plain.then_some(())?;
    warning(
        "curl-braces",
        "curl reads the braces in this address as a pattern of its own, so the server gets another question; add -g.",
    )
}

fn mongo_shell(program: &Program<'_>) -> Option<Said> {
    (program.name == "mongo").then_some(())?;
    warning("mongo-shell", retired::MONGO_SHELL)
}

fn is_env_file(text: &str) -> bool {
    let name = text.rsplit('/').next().unwrap_or(text);
    name == ".env"
        || name == ".env*"
        || (name.starts_with(".env.")
            && !["example", "sample", "template", "dist"].iter().any(|ending| name.ends_with(ending)))
}

/// `cat .env`, `diff … .env`, `grep … .env`.
fn secrets_of_env_file(program: &Program<'_>) -> Option<Said> {
    let shows = [
        "cat",
        "less",
        "more",
        "head",
        "tail",
        "diff",
        "sdiff",
        "grep",
        "egrep",
        "fgrep",
        "rg",
        "awk",
        "sed",
        "bat",
        "nl",
        "tac",
        "vimdiff",
        "colordiff",
    ];
    if !shows.contains(&program.name.as_str()) {
        return None;
    }
    // Counting, asking, and printing only the names show no value.
    let grep = program.name.ends_with("grep") || program.name == "rg";
    if grep && (program.letter('c') || program.letter('q') || program.letter('l') || program.letter('o')) {
        return None;
    }
    if matches!(program.name.as_str(), "diff") && (program.letter('q') || program.has(&["--brief"])) {
        return None;
    }
    let file = program.texts().find(|text| is_env_file(text))?;
    warning(
        "prints-secrets",
        format!(
            "{} prints the values in {file}, and whoever sees the run sees them; print only the names, or list the file under mask_files in the side file.",
            program.name
        ),
    )
}

/// `compose config`.
fn secrets_of_compose(program: &Program<'_>) -> Option<Said> {
    if !program.is_compose() || !program.has(&["config", "convert"]) {
        return None;
    }
    if program.has(&[
        "-q",
        "--quiet",
        "--services",
        "--volumes",
        "--images",
        "--profiles",
        "--hash",
        "--no-interpolate",
    ]) {
        return None;
    }
    let stored =
        program.redirects.iter().find(|redirect| redirect.operator.starts_with('>') && redirect.to != "/dev/null");
    let does = stored.map_or_else(|| "prints them".to_owned(), |redirect| format!("writes them into {}", redirect.to));
    warning(
        "prints-secrets",
        format!(
            "compose config puts the values of all variables in, secrets too, and {does}; use --no-interpolate, or keep the result private."
        ),
    )
}

/// `env`, `printenv`.
fn secrets_of_environment(program: &Program<'_>) -> Option<Said> {
    let whole = matches!(program.name.as_str(), "env" | "printenv") && program.words.len() == 1;
    whole.then_some(())?;
    warning(
        "prints-secrets",
        format!("{} prints every variable, secrets too; name the one that is needed.", program.name),
    )
}

fn docker_login(program: &Program<'_>) -> Option<Said> {
    let docker = matches!(program.name.as_str(), "docker" | "podman")
        && program.words.get(1).is_some_and(|word| word.text == "login");
    docker.then_some(())?;
    warning(
        "docker-login-keeps-token",
        "docker login keeps the token on the target (~/.docker/config.json) until docker logout; use a token that may only read, and log out at the end.",
    )
}

/// Programs that ask before they do it. Nobody types answers into a run.
fn waits_for_answer(program: &Program<'_>) -> Option<Said> {
    let forced = program.letter('f')
        || program.letter('y')
        || program.has(&["--force", "--yes", "--assume-yes", "-qq", "--noconfirm"]);
    let asks = match program.name.as_str() {
        "docker" | "podman" => program.has(&["prune"]),
        "apt" | "apt-get" | "dnf" | "yum" => {
            program.has(&["install", "remove", "purge", "autoremove", "upgrade", "full-upgrade", "dist-upgrade"])
        }
        "ufw" => program.has(&["enable", "reset", "delete"]),
        "terraform" => program.has(&["apply", "destroy"]) && !program.has(&["-auto-approve"]),
        _ => false,
    };
    (asks && !forced).then_some(())?;
    let option = match program.name.as_str() {
        "docker" | "podman" | "ufw" => "--force",
        "terraform" => "-auto-approve",
        _ => "--yes",
    };
    let message = format!(
        "{} asks before it does this and waits for an answer; add {option}, and let the approval be the question.",
        program.name
    );
    Some(Said { level: Level::Note, code: "waits-for-answer", message })
}

fn needs_keyboard(program: &Program<'_>) -> Option<Said> {
    let editors = ["vi", "vim", "nvim", "nano", "emacs", "visudo", "vipw", "mc"];
    let edits = editors.contains(&program.name.as_str()) || (program.name == "crontab" && program.letter('e'));
    edits.then_some(())?;
    warning(
        "needs-keyboard",
        format!(
            "{} needs a full keyboard; set interactive = true for this step in the side file, or change the file with a command.",
            program.name
        ),
    )
}
