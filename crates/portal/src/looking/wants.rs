//! What the commands of a plan want of their target: directories, Compose projects, programs.

use std::collections::BTreeMap;

use domain::Risk;
use domain::plan::{Plan, PlanCommand, PlanStep};
use domain::runbook::StepKind;
use runbook::{ComposeCall, Move, Named};

/// So many directories, projects and programs are looked for; a longer list nobody reads.
const MOST: usize = 40;

/// The same of projects, each of which takes a program of its own.
const MOST_PROJECTS: usize = 3;

/// What is wanted of a target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wants {
    /// The directories in which commands work, as far as they are known.
    pub directories: Vec<String>,
    /// Where the commands after the steps that connect work.
    pub place: Option<String>,
    /// The Compose projects.
    pub projects: Vec<Project>,
    /// The programs that no command before may have brought along.
    pub tools: Vec<String>,
    /// The files that commands read and that no command before them may have made, with the lines of their steps.
    pub files: Vec<(String, u32)>,
    /// The containers that commands name and that no command before them has made, with the lines of their steps.
    pub containers: Vec<(String, u32)>,
}

/// A Compose project that commands work with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Project {
    /// Whether `docker-compose` is called for it.
    pub hyphen: bool,
    /// From where.
    pub directory: String,
    /// Its files, as absolute paths; none where Compose looks for them itself.
    pub files: Vec<String>,
    /// The services that are named.
    pub services: Vec<String>,
}

/// What the steps of a plan want from a place on, when the first of them begins in a directory. A step with a directory of its
/// own is seen from there.
pub(crate) fn wants(plan: &Plan, from: u32, directory: &str, values: &BTreeMap<String, String>) -> Wants {
    let mut walk = Walk {
        here: Some(directory.to_owned()),
        values,
        found: Wants::default(),
        made: Vec::new(),
        started: Vec::new(),
        changing: Vec::new(),
    };
    walk.found.directories.push(directory.to_owned());
    walk.found.place = Some(directory.to_owned());
    let from = usize::try_from(from.saturating_sub(1)).unwrap_or(usize::MAX);
    for step in plan.steps.iter().skip(from) {
        walk.step(step);
    }
    let Wants { directories, tools, files, containers, .. } = &mut walk.found;
    directories.truncate(MOST);
    tools.truncate(MOST);
    files.truncate(MOST);
    containers.truncate(MOST);
    walk.found.projects.truncate(MOST_PROJECTS);
    walk.found
}

struct Walk<'v> {
    /// The directory, as far as it is known.
    here: Option<String>,
    values: &'v BTreeMap<String, String>,
    found: Wants,
    /// What commands may have made so far: paths, and the names of containers.
    made: Vec<String>,
    started: Vec<String>,
    /// What is named by the commands so far that do more than look.
    changing: Vec<Named>,
}

impl Walk<'_> {
    fn step(&mut self, step: &PlanStep) {
        let Some(own) = &step.directory else { return self.step_here(step) };
        let before = self.here.replace(own.clone());
        add(&mut self.found.directories, own.clone());
        self.step_here(step);
        self.here = before;
    }

    fn step_here(&mut self, step: &PlanStep) {
        for command in step.commands.iter().filter(|command| command.by_portal.is_none() && command.blocked.is_none()) {
            for tool in command.pipeline.iter().filter(|program| is_program(program, command)) {
                if !self.changing.iter().any(|before| before.brings_along(tool)) {
                    add(&mut self.found.tools, tool.clone());
                }
            }
            self.named(command, step);
            if is_placed(step) {
                self.command(command);
            }
        }
        if step.kind == StepKind::Connect && step.is_on_the_way() && step.directory.is_none() {
            self.found.place.clone_from(&self.here);
            if let Some(here) = &self.here {
                add(&mut self.found.directories, here.clone());
            }
        }
    }

    /// What the command names as it is written, without any value.
    fn named(&mut self, command: &PlanCommand, step: &PlanStep) {
        let named = runbook::named(&command.text);
        // Whose class was lowered does what it did before.
        if command.risk > Risk::Reads || command.lowered.is_some() {
            self.changing.push(named.clone());
        }
        let is_fixed = |text: &str| !command.placeholders.iter().any(|placeholder| text.contains(&placeholder.text));
        let goes = runbook::moves(&command.text).iter().any(|moved| matches!(moved, Move::Goes(_)));
        let here = self.here.clone().filter(|_| !goes && is_placed(step));
        let path = |text: &String| below(here.as_deref(), text);
        // A command that names its own folder, or one above, has not made all that is in it.
        let is_around = |folder: &String| here.as_deref().is_some_and(|here| is_below(here, folder));
        self.made.extend(named.makes.iter().filter_map(path).filter(|made| !is_around(made)));
        self.started.extend(named.starts);
        for file in named.files.iter().filter(|file| is_fixed(file)).filter_map(path) {
            let is_made = self.made.iter().any(|made| is_below(&file, made));
            if !is_made && !self.found.files.iter().any(|(known, _)| *known == file) {
                self.found.files.push((file, step.line));
            }
        }
        for container in named.containers.into_iter().filter(|name| is_fixed(name)) {
            let known = self.found.containers.iter().any(|(known, _)| *known == container);
            if !known && !self.started.contains(&container) {
                self.found.containers.push((container, step.line));
            }
        }
    }

    fn command(&mut self, command: &PlanCommand) {
        for moved in runbook::moves(&command.text) {
            match moved {
                Move::Goes(place) => {
                    let place = place.and_then(|place| filled(&place, command, self.values));
                    self.here = place.and_then(|place| below(self.here.as_deref(), &place));
                }
                Move::Compose(call) => self.project(&call, command),
            }
        }
    }

    fn project(&mut self, call: &ComposeCall, command: &PlanCommand) {
        let Some(here) = self.here.clone() else { return };
        let path = |file: &String| below(Some(&here), &filled(file, command, self.values)?);
        let Some(files) = call.files.iter().map(path).collect::<Option<Vec<String>>>() else { return };
        let services = call.services.iter().filter_map(|service| filled(service, command, self.values));
        let services: Vec<String> = services.collect();
        let same = |known: &&mut Project| known.files == files && known.directory == here;
        if let Some(known) = self.found.projects.iter_mut().find(same) {
            for service in services {
                add(&mut known.services, service);
            }
        } else {
            self.found.projects.push(Project { hyphen: call.hyphen, directory: here, files, services });
        }
    }
}

/// Whether it is known where a step works. Of a rollback that is known only once something has failed, unless it says so itself.
fn is_placed(step: &PlanStep) -> bool {
    step.is_on_the_way() || step.directory.is_some()
}

fn add(list: &mut Vec<String>, one: String) {
    if !list.contains(&one) {
        list.push(one);
    }
}

/// Words with the values of their placeholders; `None` while one is open or only the shell knows it.
fn filled(words: &str, command: &PlanCommand, values: &BTreeMap<String, String>) -> Option<String> {
    let mut filled = words.to_owned();
    for placeholder in &command.placeholders {
        if filled.contains(&placeholder.text) {
            let value = values.get(placeholder.parameter.as_ref()?)?;
            filled = filled.replace(&placeholder.text, value);
        }
    }
    (!filled.contains(['$', '`', '\n'])).then_some(filled)
}

/// A path seen from a directory, without its dots.
fn below(here: Option<&str>, path: &str) -> Option<String> {
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", here?) };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    Some(format!("/{}", parts.join("/")))
}

/// Whether a path is a folder, or something in it. Both are without dots.
fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || folder == "/")
}

/// What every shell has itself.
const BUILTINS: [&str; 22] = [
    ".", ":", "[", "case", "cd", "echo", "eval", "exit", "export", "false", "for", "if", "printf", "read", "set",
    "source", "test", "trap", "true", "unset", "until", "while",
];

/// Whether a word is the name of a program that can be looked for: not one that is called by its path, nothing that the shell has
/// itself, nothing that a value or the shell puts in.
fn is_program(word: &str, command: &PlanCommand) -> bool {
    let fits = |character: char| character.is_ascii_alphanumeric() || "._+-".contains(character);
    let plain = !word.is_empty() && !word.starts_with('-') && word.chars().all(fits);
    let by_path = command.text.contains(&format!("/{word}"));
    let filled = command.placeholders.iter().any(|placeholder| word.contains(&placeholder.text));
    plain && !by_path && !filled && !BUILTINS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::looking::tests::plan_of;

    const TEXT: &str = "# Shop\n\n## Steps\n\n1. **Connect**\n\n   ```bash\n   ssh user@production\n   cd /path/to/shop\n   ```\n\n\
        2. **Restart**\n\n   ```bash\n   docker-compose -f docker/prod.yml restart api | tee log\n   docker-compose -f docker/prod.yml ps SERVICE\n   \
        cd ../other && docker compose up -d\n   cd \"$(pwd)\"\n   docker compose ps\n   ./run.sh\n   ```\n\n## Rollback\n\n```bash\ncurl x\n```\n";

    const SIDE: &str = "directory = \"/home/deploy\"\n[parameter.root]\nplaceholder = \"/path/to/shop\"\ntype = \"path\"\ndefault = \"/srv/shop\"\n\
        [parameter.service]\nplaceholder = \"SERVICE\"\ntype = \"compose-service\"\n";

    fn wanted(values: &[(&str, &str)]) -> Wants {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let plan = plan_of(TEXT, SIDE);
        wants(&plan, 1, &plan.directory, &values)
    }

    #[test]
    fn a_plan_wants_the_directories_projects_and_programs_of_its_commands() {
        let wants = wanted(&[("root", "/srv/shop"), ("service", "web")]);

        assert_eq!(wants.directories, ["/home/deploy", "/srv/shop"]);
        assert_eq!(wants.place.as_deref(), Some("/srv/shop"));
        let own = Project {
            hyphen: true,
            directory: "/srv/shop".to_owned(),
            files: vec!["/srv/shop/docker/prod.yml".to_owned()],
            services: vec!["api".to_owned(), "web".to_owned()],
        };
        let other =
            Project { hyphen: false, directory: "/srv/other".to_owned(), files: Vec::new(), services: Vec::new() };
        assert_eq!(wants.projects, [own, other], "after a cd that only the shell knows nothing is guessed");
        assert!(
            wants.tools.contains(&"tee".to_owned()) && wants.tools.contains(&"curl".to_owned()),
            "{:?}",
            wants.tools
        );
        assert!(!wants.tools.iter().any(|tool| tool.contains("run.sh") || tool == "ssh"), "{:?}", wants.tools);
    }

    #[test]
    fn what_depends_on_an_open_value_is_not_looked_for() {
        let wants = wanted(&[]);

        assert_eq!(wants.directories, ["/home/deploy"]);
        assert_eq!((wants.place, wants.projects), (None, Vec::new()));
    }

    #[test]
    fn a_plan_wants_the_files_and_containers_that_its_commands_name_and_none_that_they_make() {
        let text = "# Shop\n\n## Steps\n\n1. **Look**\n\n   ```bash\n   cat config/app.json\n   docker logs api\n   \
            mongodump --archive=now.dump\n   head now.dump\n   docker run -d --name scratch busybox\n   docker logs scratch\n   \
            cat /etc/FILE\n   cd \"$(pwd)\"\n   cat other.json /etc/hosts\n   ```\n\n## Rollback\n\n```bash\ndocker start mongo\n\
            cat last.json\n```\n";
        let side = "directory = \"/srv/shop\"\n[parameter.file]\nplaceholder = \"FILE\"\ntype = \"text\"\n";
        let plan = plan_of(text, side);

        let wants = wants(&plan, 1, &plan.directory, &BTreeMap::new());

        let names = |list: &[(String, u32)]| list.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&wants.files), ["/srv/shop/config/app.json", "/etc/hosts"]);
        assert_eq!(names(&wants.containers), ["api", "mongo"]);
        assert_eq!(wants.files[0].1, plan.steps[0].line);
    }

    #[test]
    fn a_step_with_a_directory_of_its_own_is_seen_from_there_and_the_next_one_from_where_the_run_was() {
        let text = "# Shop\n\n## Steps\n\n1. **Build**\n\n   ```bash\n   cat build.json\n   docker compose build api\n   \
            cd deeper\n   ```\n\n2. **Restart**\n\n   ```bash\n   cat run.json\n   docker compose up -d api\n   ```\n\n\
            ## Rollback\n\n```bash\ncat last.json\n```\n";
        let side = "directory = \"/srv/shop\"\n[procedure.Shop.step.Build]\ndirectory = \"/srv/checkout\"\n\
            [procedure.Shop.step.Rollback]\ndirectory = \"/srv/backups\"\n";
        let plan = plan_of(text, side);

        let wants = wants(&plan, 1, &plan.directory, &BTreeMap::new());

        assert_eq!(wants.directories, ["/srv/shop", "/srv/checkout", "/srv/backups"]);
        assert_eq!(wants.place.as_deref(), Some("/srv/shop"));
        let files: Vec<&str> = wants.files.iter().map(|(file, _)| file.as_str()).collect();
        assert_eq!(files, ["/srv/checkout/build.json", "/srv/shop/run.json", "/srv/backups/last.json"]);
        let places: Vec<&str> = wants.projects.iter().map(|project| project.directory.as_str()).collect();
        assert_eq!(places, ["/srv/checkout", "/srv/shop"]);
    }

    #[test]
    fn a_program_that_the_procedure_installs_itself_is_not_looked_for() {
        let text = "# Certificates\n\n## Steps\n\n1. **Look**\n\n   ```bash\n   dpkg -l jq\n   mc --version\n   ```\n\n\
            2. **Install**\n\n   ```bash\n   sudo apt-get install -y certbot\n   curl -fsSL https://example.com/get -o /usr/local/bin/mc\n   ```\n\n\
            3. **Renew**\n\n   ```bash\n   sudo certbot renew | jq .\n   mc ls\n   nginx -t\n   ```\n";
        let plan = plan_of(text, "");
        let tools = |from: u32| wants(&plan, from, "/", &BTreeMap::new()).tools;

        assert_eq!(tools(1), ["dpkg", "mc", "apt-get", "curl", "jq", "nginx"], "mc is called before it is installed");
        assert_eq!(tools(2), ["apt-get", "curl", "jq", "nginx"]);
        assert_eq!(tools(3), ["certbot", "jq", "mc", "nginx"], "what was installed has to be there");
    }

    #[test]
    fn a_path_is_seen_from_a_directory() {
        assert_eq!(below(Some("/a/b"), "../c/./d").as_deref(), Some("/a/c/d"));
        assert_eq!(below(Some("/a"), "/x//y/").as_deref(), Some("/x/y"));
        assert_eq!(below(None, "x"), None);
        assert_eq!(below(Some("/"), "..").as_deref(), Some("/"));
    }
}
