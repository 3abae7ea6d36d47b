//! Side files: what fits has its effect, what does not is a finding with its line and costs nothing else.

use domain::escalation::{Due, Escalation, Rule};
use domain::runbook::{Document, ParameterKind};

const TEXT: &str = "# Restore\n\n## Steps\n1. **Put it back**\n   ```bash\n   tar -xf /path/to/backup.tar\n   ls SERVICE\n   ```\n\n## Expected outcome\n- It is there\n\n## Escalation\n- The keeper\n";

fn with(side: &str) -> Document {
    runbook::read("a.md", TEXT.as_bytes(), Some(("a.portal.toml", side.as_bytes()))).unwrap()
}

fn said(document: &Document) -> Vec<(u32, &str)> {
    document
        .findings
        .iter()
        .filter(|finding| finding.file.is_some())
        .map(|finding| (finding.line, finding.code.as_str()))
        .collect()
}

#[test]
fn a_side_file_that_is_no_toml_is_one_error_and_the_document_is_read() {
    let document = with("target = \"a\"\ndirectory = = 3\n");

    assert_eq!(said(&document), [(2, "side-file-broken")]);
    assert_eq!(document.procedures.len(), 1);
    assert!(document.procedures[0].settings.targets.is_empty());
}

/// To whom the only procedure is limited.
fn limit(document: &Document) -> Option<String> {
    let limit = document.procedures[0].settings.visible_to.as_ref();
    limit.map(domain::policy::group_names)
}

#[test]
fn a_procedure_is_limited_to_the_groups_of_the_innermost_scope() {
    let outer = with("visible_to = [\"platform\", \"dba\"]\n");
    let inner = with("visible_to = [\"platform\"]\n[procedure.Restore]\nvisible_to = [\"dba\"]\n");

    assert_eq!((limit(&outer).as_deref(), said(&outer)), (Some("dba, platform"), Vec::new()));
    assert_eq!(outer.visible_to, outer.procedures[0].settings.visible_to, "the text around it, too");
    assert_eq!(limit(&inner).as_deref(), Some("dba"));
    assert_eq!(inner.visible_to.as_ref().map(domain::policy::group_names).as_deref(), Some("platform"));
    assert_eq!(limit(&with("directory = \"/srv\"\n")), None);
    assert_eq!(limit(&with("visible_to = []\n")).as_deref(), Some(""), "nobody but administrators");
}

#[test]
fn a_mistake_about_who_sees_it_shows_it_to_nobody_more() {
    let text = with("visible_to = \"platform\"\n");
    let number = with("\nvisible_to = [7, \"dba\"]\n");
    let capital = with("visible_to = [\"Platform\"]\n");
    let broken = with("visible_to = [\"platform\"]\ndirectory = = 3\n");
    let latin = b"visible_to = [\"platform\"]\ndirectory = \"/srv/\xfc\"\n";
    let latin = runbook::read("a.md", TEXT.as_bytes(), Some(("a.portal.toml", latin))).unwrap();
    let wide: Vec<u8> = "visible_to = [\"\u{fc}\"]".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let wide = runbook::read("a.md", TEXT.as_bytes(), Some(("a.portal.toml", &wide))).unwrap();

    assert_eq!((limit(&text).as_deref(), said(&text)), (Some(""), vec![(1, "wrong-type")]));
    assert_eq!((limit(&number).as_deref(), said(&number)), (Some("dba"), vec![(2, "bad-value")]));
    assert_eq!((limit(&capital).as_deref(), said(&capital)), (Some(""), vec![(1, "bad-value")]));
    for (document, line) in [(&broken, 2), (&latin, 1), (&wide, 1)] {
        assert_eq!((limit(document).as_deref(), said(document)), (Some(""), vec![(line, "side-file-broken")]));
        assert!(document.findings.iter().any(|finding| finding.message.contains("until then only administrators do")));
        assert_eq!(document.visible_to, Some(domain::policy::Groups::new()));
    }
    assert_eq!(limit(&with("directory = = 3\n")), None, "it limits nothing");
}

#[test]
fn every_mistake_has_its_line_and_costs_only_itself() {
    let document = with(concat!(
        "targt = \"a\"\n",
        "directory = \"relative\"\n",
        "mask_files = \".env\"\n",
        "[parameter.Bad-Name]\n",
        "placeholder = \"x\"\n",
        "[parameter.backup]\n",
        "placeholder = \"/path/to/backup.tar\"\n",
        "type = \"backup-fil\"\n",
        "[parameter.service]\n",
        "placeholder = \"SERVICE\"\n",
        "type = \"choice\"\n",
        "choices = [\"a\", \"b\"]\n",
        "default = \"c\"\n",
        "[procedure.\"Restore\"]\n",
        "retention = \"long\"\n",
        "schedule = { cron = \"every day\", zone = \"UTC\", owner = \"olga\" }\n",
        "[procedure.\"Restore\".outcome.\"It is there\"]\n",
        "check = \"command\"\n",
        "run = \"rm -rf /srv\"\n",
        "[procedure.\"Restore\".step.\"Put it back\"]\n",
        "risk = \"reads\"\n",
        "output = \"much\"\n",
        "memory = \"1KiB\"\n",
        "processes = 2\n",
        "timeout = \"soon\"\n",
        "[procedure.\"Restore\".step.\"Put it back\".command.9]\n",
        "risk = \"destroys\"\n",
        "[procedure.\"Restor\"]\n",
        "alerts = []\n",
    ));

    assert_eq!(
        said(&document),
        [
            (1, "bad-value"),
            (1, "unknown-key"),
            (3, "wrong-type"),
            (4, "bad-value"),
            (6, "bad-value"),
            (9, "bad-value"),
            (14, "bad-value"),
            (16, "bad-value"),
            (17, "check-not-reading"),
            (20, "bad-value"),
            (20, "bad-value"),
            (20, "bad-value"),
            (20, "bad-value"),
            (20, "risk-lowered"),
            (26, "unknown-command"),
            (28, "unknown-procedure"),
        ]
    );
    let parameters = &document.procedures[0].settings.parameters;
    assert_eq!(parameters.len(), 1);
    assert_eq!((parameters[0].name.as_str(), &parameters[0].default), ("service", &None));
    let message = |code: &str| document.findings.iter().find(|finding| finding.code == code).unwrap().message.clone();
    assert!(message("unknown-key").contains("did you mean target?"));
    assert!(message("unknown-procedure").contains("did you mean “Restore”?"));
}

#[test]
fn a_placeholder_that_is_not_there_is_named_with_its_neighbour() {
    let document = with("[parameter.backup]\nplaceholder = \"/path/to/backups.tar\"\ntype = \"image\"\n");

    assert_eq!(said(&document), [(1, "unused-parameter")]);
    let message = &document.findings.iter().find(|finding| finding.code == "unused-parameter").unwrap().message;
    assert!(message.contains("did you mean “/path/to/backup.tar”?"), "{message}");
}

#[test]
fn a_class_is_raised_by_step_and_by_command() {
    let document = with(concat!(
        "[procedure.Restore.step.\"Put it back\"]\nrisk = \"destroys\"\n",
        "[procedure.Restore.step.\"Put it back\".command.2]\nrisk = \"disrupts\"\n",
    ));
    let step = document.procedures[0].steps(domain::runbook::PartKind::Steps).next().unwrap();

    let risks: Vec<&str> = step.commands().map(|command| command.risk.word()).collect();

    assert_eq!(risks, ["changes", "disrupts"]);
    assert_eq!(step.risk(), domain::Risk::Destroys);
    assert_eq!(step.commands().nth(1).unwrap().rule, "side file");
}

#[test]
fn the_innermost_scope_fills_a_placeholder() {
    let document = with(concat!(
        "literal = [\"/path/to/backup.tar\"]\n",
        "[parameter.any]\nplaceholder = \"SERVICE\"\ntype = \"text\"\n",
        "[procedure.Restore.step.\"Put it back\".command.2.parameter.exact]\nplaceholder = \"SERVICE\"\ntype = \"number\"\nmin = 1\n",
    ));
    let procedure = &document.procedures[0];
    let commands: Vec<_> =
        procedure.steps(domain::runbook::PartKind::Steps).flat_map(domain::runbook::Step::commands).collect();

    assert!(commands[0].placeholders.is_empty());
    assert_eq!(commands[1].placeholders[0].parameter.as_deref(), Some("exact"));
    assert_eq!(
        procedure.settings.parameters[1].kind,
        ParameterKind::Number { min: Some(1), max: None, decimal: false }
    );
}

/// One placeholder in two procedures, two steps and three commands.
const SCOPES: &str = "# Operations\n\n## Restart\n### Steps\n1. **Stop**\n   ```bash\n   ls SERVICE\n   stat SERVICE\n   ```\n2. **Start**\n   ```bash\n   du SERVICE\n   ```\n\n## Deploy\n### Steps\n1. **Pull**\n   ```bash\n   wc SERVICE\n   ```\n";

fn fillers(side: &str) -> (Document, Vec<(String, Option<String>)>) {
    let document = runbook::read("a.md", SCOPES.as_bytes(), Some(("a.portal.toml", side.as_bytes()))).unwrap();
    let commands = document
        .procedures
        .iter()
        .flat_map(|procedure| procedure.steps(domain::runbook::PartKind::Steps))
        .flat_map(domain::runbook::Step::commands);
    let fillers = commands.map(|command| (command.text.clone(), command.placeholders[0].parameter.clone())).collect();
    (document, fillers)
}

fn parameter(scope: &str, name: &str, kind: &str) -> String {
    format!("[{scope}parameter.{name}]\nplaceholder = \"SERVICE\"\ntype = \"{kind}\"\n")
}

#[test]
fn one_placeholder_has_another_parameter_in_each_scope() {
    let side = [
        parameter("", "everywhere", "text"),
        parameter("procedure.Restart.", "restarted", "container"),
        parameter("procedure.Restart.step.Stop.", "stopped", "image"),
        parameter("procedure.Restart.step.Stop.command.2.", "second", "path"),
    ];
    let expected = |order: &[&str]| {
        let commands = ["ls SERVICE", "stat SERVICE", "du SERVICE", "wc SERVICE"];
        commands
            .iter()
            .zip(order)
            .map(|(text, name)| ((*text).to_owned(), Some((*name).to_owned())))
            .collect::<Vec<_>>()
    };

    let (document, all) = fillers(&side.concat());
    let (_, without_command) = fillers(&side[..3].concat());
    let (_, without_step) = fillers(&side[..2].concat());
    let (_, of_document) = fillers(&side[0]);

    assert_eq!(said(&document), []);
    assert_eq!(all, expected(&["stopped", "second", "restarted", "everywhere"]));
    assert_eq!(without_command, expected(&["stopped", "stopped", "restarted", "everywhere"]));
    assert_eq!(without_step, expected(&["restarted", "restarted", "restarted", "everywhere"]));
    assert_eq!(of_document, expected(&["everywhere"; 4]));
}

#[test]
fn a_procedure_gives_a_parameter_of_the_document_another_type() {
    let side = [parameter("", "service", "text"), parameter("procedure.Restart.", "service", "container")];
    let (document, _) = fillers(&side.concat());

    let kinds = |procedure: usize| {
        let parameters = &document.procedures[procedure].settings.parameters;
        parameters.iter().map(|parameter| parameter.kind.clone()).collect::<Vec<_>>()
    };

    assert_eq!(said(&document), []);
    assert_eq!(kinds(0), [ParameterKind::Container]);
    assert_eq!(kinds(1), [ParameterKind::Text { pattern: None }]);
}

#[test]
fn a_name_that_is_given_twice_has_the_first_type_and_the_second_has_no_effect() {
    let side = [parameter("", "service", "text"), parameter("procedure.Restart.step.Stop.", "service", "container")];
    let (document, _) = fillers(&side.concat());

    assert_eq!(said(&document), [(4, "duplicate-parameter")]);
    assert_eq!(document.procedures[0].settings.parameters.len(), 1);
    assert_eq!(document.procedures[0].settings.parameters[0].kind, ParameterKind::Text { pattern: None });
}

#[test]
fn a_scope_that_matches_nothing_is_named_with_its_neighbour() {
    let side = [
        parameter("procedure.Restar.", "one", "text"),
        parameter("procedure.Restart.step.Stopp.", "two", "text"),
        parameter("procedure.Restart.step.Stop.command.7.", "three", "text"),
    ];
    let (document, fillers) = fillers(&side.concat());
    let message = |code: &str| document.findings.iter().find(|finding| finding.code == code).unwrap().message.clone();

    assert!(fillers.iter().all(|(_, parameter)| parameter.is_none()));
    assert!(message("unknown-procedure").contains("did you mean “Restart”?"));
    assert!(message("unknown-step").contains("did you mean “Stop”?"));
    assert!(message("unknown-command").contains("has 2 commands and no number 7"));
}

#[test]
fn a_default_and_an_example_are_values_that_the_parameter_takes() {
    let document = with(concat!(
        "[parameter.backup]\nplaceholder = \"/path/to/backup.tar\"\ntype = \"backup-file\"\nroot = \"/srv\"\n",
        "pattern = \"*.tar\"\ndefault = \"/srv/x.dump\"\nexample = \"/etc/x.tar\"\n",
        "[parameter.service]\nplaceholder = \"SERVICE\"\ntype = \"number\"\nmin = 0\nmax = 1\ndecimal = true\n",
        "default = \"0.5\"\nexample = \"0,5\"\n",
    ));

    let parameters = &document.procedures[0].settings.parameters;

    assert_eq!(said(&document), [(1, "bad-value"), (1, "bad-value"), (8, "bad-value")]);
    assert_eq!((&parameters[0].default, &parameters[0].example), (&None, &None));
    assert_eq!((parameters[1].default.as_deref(), &parameters[1].example), (Some("0.5"), &None));
    assert_eq!(parameters[1].kind, ParameterKind::Number { min: Some(0), max: Some(1), decimal: true });
}

#[test]
fn a_pattern_that_can_fit_nothing_has_no_effect() {
    let side = |kind: &str| format!("[parameter.service]\nplaceholder = \"SERVICE\"\n{kind}\n");
    let silenced = "literal = [\"/path/to/backup.tar\"]\n";

    for kind in [
        "type = \"text\"\npattern = \"a)|(?:b\"",
        "type = \"backup-file\"\nroot = \"/srv\"\npattern = \"a/*.tar\"",
        "type = \"backup-file\"\nroot = \"/srv\"\npattern = \"[z-a]\"",
    ] {
        let document = with(&format!("{silenced}{}", side(kind)));

        assert_eq!(said(&document), [(2, "bad-value")], "{kind}");
    }
}

#[test]
fn a_parameter_is_no_variable_that_steers_programs() {
    for name in ["http_proxy", "PATH", "no_proxy", "LD_PRELOAD", "BASH_ENV", "IFS"] {
        let document = with(&format!("literal = [\"/path/to/backup.tar\"]\n{}", parameter("", name, "text")));

        assert_eq!(said(&document), [(2, "bad-value")], "{name}");
        assert!(document.procedures[0].settings.parameters.is_empty());
    }
}

#[test]
fn a_side_file_raises_and_never_lowers_a_class() {
    let commands = ["ls", "make check", "docker compose restart web", "docker system prune -a"];
    let classes = ["reads", "changes", "disrupts", "destroys"];
    for (own, command) in commands.iter().enumerate() {
        let text = format!("# A\n\n## Steps\n\n1. **One**\n\n   ```bash\n   {command}\n   ```\n");
        for (asked, class) in classes.iter().enumerate() {
            for place in ["step.One", "step.One.command.1"] {
                let side = format!("[procedure.A.{place}]\nrisk = \"{class}\"\n");
                let document =
                    runbook::read("a.md", text.as_bytes(), Some(("a.portal.toml", side.as_bytes()))).unwrap();

                let step = document.procedures[0].steps(domain::runbook::PartKind::Steps).next().unwrap();
                assert_eq!(step.risk().word(), classes[own.max(asked)], "{command} as {class} by {place}");
                let refused = document.findings.iter().any(|finding| finding.code == "risk-lowered");
                assert_eq!(refused, asked < own, "{command} as {class} by {place}");
            }
        }
    }
}

#[test]
fn a_value_that_may_be_an_option_raises_the_class_and_lint_says_so() {
    let text = "# A\n\n## Steps\n\n1. **One**\n\n   ```bash\n   find /srv -name x WORDS\n   ls -l WORDS\n   ```\n";
    let read = |pattern: &str| {
        let side = format!("[parameter.words]\nplaceholder = \"WORDS\"\ntype = \"text\"\n{pattern}");
        let document = runbook::read("a.md", text.as_bytes(), Some(("a.portal.toml", side.as_bytes()))).unwrap();
        let step = document.procedures[0].steps(domain::runbook::PartKind::Steps).next().unwrap();
        let seen: Vec<(&str, bool)> = step.commands().map(|command| (command.risk.word(), command.raised)).collect();
        let said = document.findings.iter().find(|finding| finding.code == "value-as-option").cloned();
        (seen.iter().map(|(risk, raised)| format!("{risk} {raised}")).collect::<Vec<_>>(), said)
    };

    let (free, said) = read("");
    assert_eq!(free, ["destroys true", "reads false"]);
    let said = said.unwrap();
    assert_eq!(said.line, 8);
    assert!(said.message.contains("“WORDS” may begin with a dash"), "{}", said.message);
    assert!(said.message.contains("pattern"), "{}", said.message);
    let (bound, said) = read("pattern = \"[a-z]+\"\n");
    assert_eq!(bound, ["reads false", "reads false"]);
    assert_eq!(said, None);
}

#[test]
fn two_steps_with_one_title_are_said_and_only_the_first_gets_the_settings() {
    let text = "# Twice\n\n## Steps\n1. **Look**\n   ```bash\n   ls\n   ```\n2. **Look**\n   ```bash\n   pwd\n   ```\n";
    let side = "[procedure.\"Twice\".step.\"Look\"]\nrisk = \"destroys\"\n";

    let document = runbook::read("a.md", text.as_bytes(), Some(("a.portal.toml", side.as_bytes()))).unwrap();

    assert_eq!(said(&document), [(1, "same-title")]);
    let raised: Vec<bool> = document.procedures[0]
        .parts
        .iter()
        .flat_map(domain::runbook::Part::steps)
        .map(|step| step.settings.risk.is_some())
        .collect();
    assert_eq!(raised, [true, false]);
}

/// An outcome with a heading over two lines, a line of its own, and a step.
const CHECKED: &str = "# Shop\n\n## Steps\n1. **Start**\n   ```bash\n   ls SERVICE PORT\n   ```\n\n## Expected outcome\n- All is well\n  - It answers on PORT\n  - The log is quiet\n- The users are told\n";

const CHECKED_SIDE: &str = "[parameter.port]\nplaceholder = \"PORT\"\ntype = \"number\"\nmin = 1\n[parameter.service]\nplaceholder = \"SERVICE\"\ntype = \"text\"\npattern = \"[a-z]+\"\n";

fn checked(side: &str) -> Document {
    let side = format!("{CHECKED_SIDE}{side}");
    runbook::read("a.md", CHECKED.as_bytes(), Some(("a.portal.toml", side.as_bytes()))).unwrap()
}

#[test]
fn a_check_is_bound_to_a_line_that_is_ticked_and_knows_its_values() {
    let document = checked(concat!(
        "[procedure.Shop.outcome.\"It answers on PORT\"]\ncheck = \"http\"\nurl = \"http://localhost:PORT/health\"\n",
        "[procedure.Shop.outcome.\"The log is quiet\"]\ncheck = \"log\"\nrun = \"cat log/SERVICE | grep -v debug\"\n",
        "pattern = \"error|fatal\"\nwindow = \"2m\"\n",
        "[procedure.Shop.step.Start]\nafter = [{ check = \"command\", run = \"test -f SERVICE.pid\" }]\n",
    ));
    let procedure = &document.procedures[0];
    let checks = runbook::side_file::checks_of_outcome(procedure);
    let step = procedure.steps(domain::runbook::PartKind::Steps).next().unwrap();
    let after = runbook::side_file::checks_after(procedure, step);

    assert_eq!(said(&document), []);
    assert_eq!(checks.iter().map(|check| check.number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(checks[0].parameters().collect::<Vec<_>>(), ["port"]);
    assert_eq!(checks[1].parameters().collect::<Vec<_>>(), ["service"]);
    assert_eq!(checks[1].pipeline, ["cat", "grep"]);
    let script = checks[1].script.as_deref().unwrap();
    assert!(script.contains("service") && !script.contains("SERVICE"), "{script}");
    assert_eq!((after.len(), after[0].number), (1, 1));
    assert!(checks.iter().chain(&after).all(|check| check.blocked.is_none()), "{checks:?} {after:?}");
}

#[test]
fn only_lines_that_are_ticked_can_be_checked_and_each_once() {
    let container = "check = \"container\"\ncontainer = \"shop\"\n";
    let document = checked(&format!(
        "[procedure.Shop.outcome.\"All is well\"]\n{container}[procedure.Shop.outcome.\"The log is quiet\"]\n{container}[procedure.Shop.outcome.\"the log is quiet\"]\n{container}"
    ));

    let codes: Vec<&str> = said(&document).iter().map(|(_, code)| *code).collect();
    assert_eq!(codes, ["unknown-outcome", "duplicate-check"]);
    assert_eq!(document.procedures[0].settings.outcome.len(), 1);
}

#[test]
fn a_check_with_a_secret_or_with_values_that_do_more_than_read_is_not_asked() {
    let free = "[procedure.Shop.parameter.words]\nplaceholder = \"SERVICE\"\ntype = \"text\"\n";
    let find =
        "[procedure.Shop.outcome.\"The log is quiet\"]\ncheck = \"command\"\nrun = \"find /srv -name x SERVICE\"\n";
    let secret = "[procedure.Shop.parameter.words]\nplaceholder = \"SERVICE\"\ntype = \"secret\"\n";
    let blocked = |side: &str| {
        let document = checked(side);
        runbook::side_file::checks_of_outcome(&document.procedures[0])[0].blocked.clone().unwrap_or_default()
    };

    assert!(blocked(&format!("{free}{find}")).contains("a check may only read"));
    assert!(blocked(&format!("{secret}{find}")).contains("A check is given no secret"));
    assert_eq!(blocked(find), "", "its pattern lets no option through");
}

#[test]
fn a_window_is_an_hour_at_most() {
    let document = checked(
        "[procedure.Shop.outcome.\"The log is quiet\"]\ncheck = \"log\"\nrun = \"cat log\"\npattern = \"x\"\nwindow = \"2h\"\n",
    );

    assert_eq!(said(&document).iter().map(|(_, code)| *code).collect::<Vec<_>>(), ["bad-value"]);
    assert!(document.procedures[0].settings.outcome.is_empty());
}

#[test]
fn the_lines_of_a_log_are_matched_anywhere() {
    let lines: Vec<String> = ["all well", "an ERROR here", "fatal"].map(str::to_owned).to_vec();

    assert_eq!(runbook::side_file::matching("(?i)error|fatal", &lines), ["an ERROR here", "fatal"]);
}

#[test]
fn a_label_of_an_alert_fills_only_a_parameter_that_says_which_values_fit() {
    let text = "# A\n\n## Steps\n\n1. **One**\n\n   ```bash\n   grep WORDS /srv/NAME | head -n COUNT\n   ```\n";
    let side = "[procedure.A]\nalerts = [\"LedgerWet\"]\n\
                from_alert = { words = \"words\", name = \"name\", count = \"count\", cuont = \"count\" }\n\n\
                [procedure.A.parameter.words]\nplaceholder = \"WORDS\"\ntype = \"text\"\n\n\
                [procedure.A.parameter.name]\nplaceholder = \"NAME\"\ntype = \"text\"\npattern = \"[a-z]+\"\n\n\
                [procedure.A.parameter.count]\nplaceholder = \"COUNT\"\ntype = \"number\"\n";

    let document = runbook::read("a.md", text.as_bytes(), Some(("a.portal.toml", side.as_bytes()))).unwrap();

    let of = |name: &str| (name.to_owned(), name.to_owned());
    let mut filled = document.procedures[0].settings.from_alert.clone();
    filled.sort();
    assert_eq!(filled, [of("count"), of("name")]);
    let beside = document.findings.iter().filter(|finding| finding.file.is_some());
    let mut said: Vec<(u32, &str)> = beside.map(|finding| (finding.line, finding.code.as_str())).collect();
    said.sort_unstable();
    assert_eq!(said, [(3, "bad-value"), (3, "unknown-parameter")]);
    assert!(document.findings.iter().any(|finding| finding.message.contains("did you mean count?")));
}

#[test]
fn a_schedule_that_is_never_due_or_has_no_zone_is_a_finding() {
    let with = |schedule: &str| {
        let document = with(&format!("literal = [\"/path/to/backup.tar\"]\n[procedure.Restore]\n{schedule}\n"));
        let kept = document.procedures[0].settings.schedule.is_some();
        let said = said(&document).into_iter().map(|(line, code)| (line, code.to_owned())).collect::<Vec<_>>();
        (kept, said)
    };
    let found = |code: &str| vec![(3, code.to_owned())];

    assert_eq!(
        with("schedule = { cron = \"0 9 * * mon\", zone = \"Asia/Manila\", owner = \"olga\" }"),
        (true, Vec::new())
    );
    let never = with("schedule = { cron = \"0 9 30 2 *\", zone = \"UTC\", owner = \"olga\" }");
    assert_eq!(never, (true, found("never-due")), "the page says so as well");
    let nowhere = with("schedule = { cron = \"0 9 * * *\", zone = \"Europe/Nowhere\", owner = \"olga\" }");
    assert_eq!(nowhere, (false, found("bad-value")));
}

#[test]
fn what_the_escalation_part_does_not_say_the_side_file_binds_to_contacts() {
    let contacts = "[procedure.Restore]\ncontacts = { \"the keeper\" = \"lena\" }\n";
    let one = with(&format!("{contacts}escalate = {{ after = \"15m\", to = [\"The Keeper\"] }}\n"));
    let several =
        "escalate = [{ when = \"start\", to = [\"the keeper\"] }, { when = \"failure\", to = [\"the keeper\"] }]\n";
    let several = with(&format!("{contacts}{several}"));
    let rule = |due| Rule { due, to: vec!["the keeper".to_owned()] };

    let settings = &one.procedures[0].settings;
    assert_eq!((said(&one), &settings.escalate), (Vec::new(), &vec![rule(Due::AfterWait { ms: 900_000 })]));
    let settings = &several.procedures[0].settings;
    let both = vec![rule(Due::AtStart), rule(Due::AfterFailure { steps: Vec::new() })];
    assert_eq!((said(&several), &settings.escalate), (Vec::new(), &both));
    let lines = Escalation::of(&several.procedures[0], &[]).lines;
    let words: Vec<&str> = lines.iter().map(|line| line.words.as_str()).collect();
    assert_eq!(words, ["The keeper", "When the run starts", "When a step fails"]);
    assert_eq!((lines[0].to.len(), &lines[0].due), (1, &Due::ByHand));
}

#[test]
fn an_escalation_that_cannot_be_meant_tells_nobody_and_is_a_finding() {
    let contacts = "[procedure.Restore]\ncontacts = { \"the keeper\" = \"lena\" }\n";
    for (rule, code) in [
        ("{ after = \"soon\", to = [\"the keeper\"] }", "bad-value"),
        ("{ after = \"15m\" }", "bad-value"),
        ("{ to = [\"the keeper\"] }", "bad-value"),
        ("{ after = \"15m\", when = \"start\", to = [\"the keeper\"] }", "bad-value"),
        ("{ when = \"later\", to = [\"the keeper\"] }", "bad-value"),
        ("{ after = \"15m\", to = [\"the cook\"] }", "unknown-contact"),
        ("\"15m\"", "wrong-type"),
    ] {
        let document = with(&format!("{contacts}escalate = {rule}\n"));

        assert_eq!(said(&document).last().map(|(line, code)| (*line, *code)), Some((3, code)), "{rule}");
        assert!(document.procedures[0].settings.escalate.is_empty(), "{rule}");
    }
}

/// When the lines of an escalation part are due whose side file binds two people.
fn dues(part: &str) -> Vec<Due> {
    let text = TEXT.replace("- The keeper\n", part);
    let side = "[procedure.Restore]\ncontacts = { \"keeper\" = \"lena\", \"DPO\" = \"dana\" }\n";
    let document = runbook::read("a.md", text.as_bytes(), Some(("a.portal.toml", side.as_bytes()))).unwrap();
    Escalation::of(&document.procedures[0], &[]).lines.into_iter().map(|line| line.due).collect()
}

#[test]
fn a_line_is_due_by_itself_only_where_nothing_around_it_may_be_its_condition() {
    let failure = Due::AfterFailure { steps: Vec::new() };
    let plain = "- Notify the DPO immediately\n- If a step fails: call the keeper\n";
    assert_eq!(dues(plain), [Due::AtStart, failure]);

    for part in [
        "- If customer data leaked:\n  - Notify the DPO immediately\n  - If a step fails: call the keeper\n".to_owned(),
        format!("Only when data was lost:\n\n{plain}"),
        format!("{plain}\nAll of this is for the case that data was lost.\n"),
        "- Notify the DPO immediately\n\n  This is about data that was lost.\n- If a step fails: call the keeper\n\n  Only at night.\n"
            .to_owned(),
    ] {
        assert_eq!(dues(&part), [Due::ByHand, Due::ByHand], "{part}");
    }
}

#[test]
fn a_contact_that_no_line_names_is_a_finding_unless_a_rule_names_it() {
    let side = |escalate: &str| {
        with(&format!("[procedure.Restore]\ncontacts = {{ \"keep\" = \"olga\", \"keeper\" = \"lena\" }}\n{escalate}"))
    };
    let unknown = side("");
    let used = side("escalate = { after = \"15m\", to = [\"Keep\"] }\n");

    assert_eq!(said(&unknown), [(2, "unknown-contact")], "the keeper is named, and no keep");
    let message = &unknown.findings.iter().find(|finding| finding.code == "unknown-contact").unwrap().message;
    assert!(message.contains("does not name \u{201c}keep\u{201d}, so no line of it calls them"), "{message}");
    assert_eq!((said(&used), used.procedures[0].settings.escalate.len()), (Vec::new(), 1));
}
