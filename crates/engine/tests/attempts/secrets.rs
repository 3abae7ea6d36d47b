//! Secrets reach the commands and nothing else; exported variables reach the next attempt and nothing else does.

use domain::attempt::{AttemptResult, Carried, Exported, Spec};
use engine::Secret;

use crate::harness::{Finished, Place, Step};
use crate::sites::Site;

at_every_target! {
    a_secret_reaches_the_command_and_is_found_nowhere_else,
    marks_stay_true_where_output_is_masked_and_what_is_held_back_comes_with_the_end_of_its_command,
    a_secret_that_the_commands_do_not_use_is_only_masked,
    work_whose_secret_was_not_handed_over_is_not_begun,
    the_values_of_listed_files_are_masked_and_counted,
    named_exports_come_to_the_next_attempt_and_nothing_else_does,
    a_long_value_is_carried_whole,
    an_export_that_holds_a_secret_stays_where_it_is,
    values_of_exports_lie_in_one_private_file_and_a_changed_file_starts_nothing,
    a_step_whose_variables_are_gone_says_so_and_the_next_start_goes_on_without_them,
    an_export_that_holds_a_value_of_a_file_to_be_masked_stays_where_it_is_and_that_is_said,
    what_is_not_masked_of_a_listed_file_is_told,
    a_shell_that_ends_by_itself_tells_nothing,
    after_a_failure_the_exports_before_it_are_kept,
}

const VALUE: &str = "hunter2/It's \"q\" $x";

fn secret(used: bool) -> Secret {
    Secret { name: "token".to_owned(), value: VALUE.to_owned(), used }
}

/// Everything that a folder holds, file by file.
fn everything(folder: &std::path::Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => all.extend(everything(&entry.path())),
            kind if kind.is_file() => all.extend(std::fs::read(entry.path()).unwrap()),
            _ => {}
        }
    }
    all
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

async fn a_secret_reaches_the_command_and_is_found_nowhere_else(site: &Site) {
    for (shell, step) in Step::new(&[
        "test ${#token} -eq 19 && echo right",
        "printf %s hunter; sleep 0.05; printf '%s\\n' \"${token#hunter}\"",
        "set -x; : \"$token\"; set +x",
        "printf %s \"$token\" | base64; printf %s \"x$token\" | base64 -w 24; printf %s \"$token\" | od -An -v -tx1 | tr -d ' \\n'; echo",
        "export token; export -p",
        "cd \"/nowhere/$token\"",
    ])
    .everywhere()
    {
        let place = site.place();

        let finished = place.run_with(step.secret("token", "v1"), vec![secret(true)]).await;

        assert!(finished.printed(1).contains("right"), "{shell}: {}", finished.text());
        for number in 2..=6 {
            let printed = finished.printed(number);
            assert!(printed.contains("[secret token]"), "{shell}, {number}: {printed}");
        }
        assert!(matches!(finished.result(), AttemptResult::Failed { command: 6 }), "{shell}: {:?}", finished.exit);
        let stored = everything(place.folder.path());
        for trace in ["hunter2", "/It's", "aHVudGVyM", "68756e746572"] {
            assert!(!holds(&stored, trace), "{shell}: {trace}");
        }
    }
}

async fn marks_stay_true_where_output_is_masked_and_what_is_held_back_comes_with_the_end_of_its_command(site: &Site) {
    let place = site.place();
    let step = Step::new(&["printf 'a hunter2/It'", "printf \"'s\"", "echo \"<$token>\""]).secret("token", "v1");

    let finished = place.run_with(step, vec![secret(true)]).await;

    assert_eq!(finished.printed(1), "a hunter2/It");
    assert_eq!(finished.printed(2), "'s");
    assert_eq!(finished.printed(3), "<[secret token]>\n");
}

async fn a_secret_that_the_commands_do_not_use_is_only_masked(site: &Site) {
    let place = site.place();
    let step = Step::new(&["echo \"[${token-unset}]\"; echo 'hunter2/It'\\''s \"q\" $x'"]);

    let finished = place.run_with(step, vec![secret(false)]).await;

    assert_eq!(finished.text(), "[unset]\n[secret token]\n");
}

async fn work_whose_secret_was_not_handed_over_is_not_begun(site: &Site) {
    let place = site.place();

    let finished = place.run(Step::new(&["echo ran"]).secret("token", "v1")).await;

    let AttemptResult::NotStarted { reason } = finished.result() else { panic!("{:?}", finished.exit) };
    assert_eq!(reason, "The secret token was not handed over. Nothing was run.");
}

async fn the_values_of_listed_files_are_masked_and_counted(site: &Site) {
    let place = site.place();
    let file = place.folder.path().join(".env");
    std::fs::write(&file, "# remark\nDB_HOST=database.internal\nexport DB_PASS='pa ss word'\nPORT=3333\nDEBUG=true\n")
        .unwrap();
    let absent = place.folder.path().join("absent").display().to_string();
    let cat = format!("cat {0}; grep --color=always internal {0}; echo 3333 true", file.display());
    let step = Step::new(&[&cat]).mask_files(&[&file.display().to_string(), &absent]);

    let finished = place.run(step).await;

    assert_eq!(finished.exit.masked, 2);
    let text = finished.text();
    assert!(
        text.starts_with("# remark\nDB_HOST=[secret DB_HOST]\nexport DB_PASS='[secret DB_PASS]'\nPORT=3333\n"),
        "{text}"
    );
    assert!(!text.contains("internal") && text.ends_with("3333 true\n"), "{text}");
}

/// Runs a step that exports, and another one that gets what it has left.
async fn carried(place: &Place, first: Step, second: Step) -> (Option<Exported>, String) {
    let first = place.run(first).await;
    let exported = first.exit.exported.clone();
    let second = match &exported {
        Some(Exported { names, digest }) => {
            let (step, attempt) = (first.id.step, first.id.attempt);
            second.carried(Carried { step, attempt, names: names.clone(), digest: digest.clone() })
        }
        None => second,
    };
    (exported, place.run(second).await.text())
}

fn shells(step: &Step) -> [(&'static str, Step); 5] {
    let [one, two, three, four] = step.everywhere();
    [one, two, three, four, ("busybox, terminal", step.clone().shell(&["busybox", "sh"]))]
}

async fn named_exports_come_to_the_next_attempt_and_nothing_else_does(site: &Site) {
    let first = Step::new(&[
        "VERSION='1.2 \"three\"'\nexport VERSION EMPTY= ; export LINES_2=\"a\nbä\n\"; plain=p; GONE=g; export GONE; unset GONE",
        "PATH=/evil:$PATH; export PATH; export LD_DEBUG=nothing; IFS=x; alias date='echo alias'; cat() { echo function; }; export -f cat 2>/dev/null; set -e -u",
    ])
    .exports(&["VERSION", "EMPTY", "LINES_2", "GONE", "NEVER", "PATH", "LD_DEBUG", "IFS", "plain_not_named"]);
    let second = Step::new(&[
        "printf '<%s>' \"$VERSION\" \"${EMPTY-unset}\" \"$LINES_2\" \"${plain-unset}\" \"${GONE-unset}\" \"${NEVER-unset}\" \"${LD_DEBUG-unset}\"",
        "case $PATH in /evil*) echo evil ;; esac; echo file | cat; case $- in *e*|*u*) echo options ;; esac; [ \"$(printf 'a b')\" = 'a b' ]; date +%%; set -- $(echo 1 2); echo $#",
    ]);
    for ((shell, first), (_, second)) in shells(&first).into_iter().zip(shells(&second)) {
        let place = site.place();

        let (exported, text) = carried(&place, first, second).await;

        let names = exported.map(|exported| exported.names);
        assert_eq!(names.unwrap(), ["EMPTY", "LINES_2", "VERSION"], "{shell}");
        assert_eq!(text, "<1.2 \"three\"><><a\nbä\n><unset><unset><unset><unset>file\n%\n2\n", "{shell}");
    }
}

async fn a_long_value_is_carried_whole(site: &Site) {
    let first = Step::new(&["LONG=$(head -c 90000 /dev/zero | tr '\\0' x); export LONG"]).exports(&["LONG"]);
    for ((shell, first), (_, second)) in shells(&first).into_iter().zip(shells(&Step::new(&["echo ${#LONG}"]))) {
        let (_, text) = carried(&site.place(), first, second).await;

        assert_eq!(text, "90000\n", "{shell}");
    }
}

async fn an_export_that_holds_a_secret_stays_where_it_is(site: &Site) {
    let place = site.place();
    let step = Step::new(&["export AUTH=\"Bearer $token\" MODE=fast"]).secret("token", "v1").exports(&["AUTH", "MODE"]);

    let finished = place.run_with(step, vec![secret(true)]).await;

    assert_eq!(finished.exit.exported.unwrap().names, ["MODE"]);
    assert!(!holds(&everything(place.folder.path()), "hunter2"));
}

async fn values_of_exports_lie_in_one_private_file_and_a_changed_file_starts_nothing(site: &Site) {
    use std::os::unix::fs::PermissionsExt as _;
    let place = site.place();
    let first = place.run(Step::new(&["export VERSION=one-two-three"]).exports(&["VERSION"])).await;
    let folder = place.engine.folder(&first.id);
    let file = folder.join("exports.json");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    for name in ["exit.json", "out.log", "out.idx"] {
        assert!(!holds(&std::fs::read(folder.join(name)).unwrap(), "one-two-three"), "{name}");
    }
    let Exported { names, digest } = first.exit.exported.unwrap();
    let changed = std::fs::read_to_string(&file).unwrap().replace("one-two-three", "one-two-four!");
    std::fs::write(&file, changed).unwrap();

    let carried = Carried { step: first.id.step, attempt: first.id.attempt, names, digest };
    let second = place.run(Step::new(&["echo \"$VERSION\""]).carried(carried)).await;

    assert_eq!(lost(&second), "their file is not as that step has left it");
}

/// Why an attempt was not started for want of the variable `VERSION`; later ones start without it.
fn lost(finished: &Finished) -> &str {
    let AttemptResult::NotStarted { reason } = finished.result() else { panic!("{:?}", finished.exit) };
    assert_eq!(finished.exit.exported.as_ref().map(|exported| exported.names.len()), Some(0));
    let before = "The variables that an earlier step has exported are lost, because ";
    let behind = ": VERSION. Nothing was run. When the step is started again, it starts without them; run the step that exports \
                  them again first if it needs them.";
    reason.strip_prefix(before).and_then(|reason| reason.strip_suffix(behind)).unwrap_or_else(|| panic!("{reason}"))
}

async fn a_step_whose_variables_are_gone_says_so_and_the_next_start_goes_on_without_them(site: &Site) {
    let place = site.place();
    let first = place.run(Step::new(&["export VERSION=one"]).exports(&["VERSION"])).await;
    std::fs::remove_file(place.engine.folder(&first.id).join("exports.json")).unwrap();
    let Exported { names, digest } = first.exit.exported.unwrap();
    let carried = Carried { step: first.id.step, attempt: first.id.attempt, names, digest };

    let second = place.run(Step::new(&["echo ran"]).carried(carried)).await;

    assert_eq!(lost(&second), "their file cannot be read (entity not found)");
    let left = Carried::of(second.id, second.exit.exported.as_ref().unwrap());
    assert_eq!(left, None, "so that nothing is asked for a second time");
}

async fn an_export_that_holds_a_value_of_a_file_to_be_masked_stays_where_it_is_and_that_is_said(site: &Site) {
    let place = site.place();
    let file = place.folder.path().join(".env");
    std::fs::write(&file, "DB_PASS=correct-horse\n").unwrap();
    let script = "export URL=db://user:correct-horse@host ENCODED=$(printf correct-horse | base64) MODE=fast";
    let step = Step::new(&[script]).mask_files(&[file.to_str().unwrap()]).exports(&["URL", "ENCODED", "MODE"]);

    let finished = place.run(step).await;

    assert_eq!(finished.exit.exported.unwrap().names, ["MODE"]);
    let kept = std::fs::read(place.engine.folder(&finished.id).join("exports.json")).unwrap();
    assert!(!holds(&kept, "correct-horse"));
    let sentence = "Not kept for later steps, because their values are masked in the output: ENCODED, URL.";
    assert_eq!(finished.exit.notes.not_kept, [sentence]);
}

/// Of this machine alone: elsewhere a step does not reach the folder of its attempt.
#[tokio::test]
async fn exports_that_cannot_be_kept_are_told() {
    let place = Place::new();
    let id = place.spec(Step::new(&["true"])).id;
    let folder = place.engine.folder(&id);
    let step =
        Step::new(&["mkdir \"$folder/exports.json\"; export MODE=fast"]).variable("folder", folder.to_str().unwrap());
    let spec = Spec { id, ..place.spec(step.exports(&["MODE"])) };
    place.start(&spec, Vec::new()).await;

    let finished = place.end(id).await;

    assert_eq!(finished.exit.exported, None);
    let sentence = "What this step has exported could not be kept for later steps (entity already exists).";
    assert_eq!(finished.exit.notes.not_kept, [sentence]);
}

async fn what_is_not_masked_of_a_listed_file_is_told(site: &Site) {
    let place = site.place();
    let file = place.folder.path().join(".env");
    std::fs::write(&file, (0..600).map(|n| format!("NAME_{n}=value-{n:04}")).collect::<Vec<_>>().join("\n")).unwrap();
    let path = file.display().to_string();

    let finished = place.run(Step::new(&["echo value-0001 value-0599"]).mask_files(&[&path])).await;

    assert_eq!(finished.text(), "[secret NAME_1] value-0599\n");
    let sentence = format!("{path} has more than 500 values: the ones behind that were not masked.");
    assert_eq!(finished.exit.notes.unmasked, [sentence]);
}

async fn a_shell_that_ends_by_itself_tells_nothing(site: &Site) {
    let finished = site.place().run(Step::new(&["export VERSION=1; exit 0"]).exports(&["VERSION"])).await;

    assert_eq!(finished.exit.exported, None);
    assert_eq!(finished.result(), &AttemptResult::Completed);
}

async fn after_a_failure_the_exports_before_it_are_kept(site: &Site) {
    let finished = site.place().run(Step::new(&["export VERSION=1", "false"]).exports(&["VERSION"])).await;

    assert_eq!(finished.exit.exported.unwrap().names, ["VERSION"]);
}
