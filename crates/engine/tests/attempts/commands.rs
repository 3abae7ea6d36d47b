//! What a command can say and do, and what the record says about it.

use domain::attempt::{AttemptResult, Outcome};

use crate::harness::{Place, Step};
use crate::sites::Site;

at_every_target! {
    every_command_has_its_code_and_exactly_its_output,
    a_step_ends_at_the_first_failure,
    directory_variables_functions_and_the_last_code_are_carried,
    a_failed_member_of_a_pipeline_is_never_a_success,
    every_member_has_its_code_also_in_unusual_texts,
    a_text_that_is_not_whole_runs_as_it_is_and_nothing_is_added_to_it,
    a_comparison_that_finds_something_is_a_difference_and_the_step_waits,
    a_reader_that_has_enough_is_no_failure_and_nobody_complains,
    a_bad_answer_to_curl_is_a_difference,
    a_shell_that_leaves_in_the_middle_says_how,
    a_last_command_that_takes_the_shell_with_it_may_still_be_a_success,
    an_own_trap_at_the_end_still_runs_and_is_heard,
    everything_printed_just_before_the_shell_goes_is_there,
    a_mistake_in_the_syntax_ends_one_command_and_not_the_shell,
    a_stray_break_or_continue_does_not_lose_the_next_command,
    a_command_that_bends_the_shell_does_not_bend_the_driver,
    output_that_was_sent_elsewhere_does_not_silence_the_marks,
    texts_of_every_kind_arrive_as_they_are,
    a_command_of_a_megabyte_arrives_whole,
    values_come_from_the_environment_and_nothing_else_does,
    nothing_waits_in_a_pager_or_an_editor,
    a_command_that_reads_gets_the_end_of_file_on_pipes_and_input_on_a_terminal,
    what_was_typed_ahead_never_becomes_a_command,
    a_directory_that_goes_away_in_the_middle_is_recorded_by_its_name,
    a_step_that_stays_is_where_it_began_whatever_links_lead_there,
}

async fn every_command_has_its_code_and_exactly_its_output(site: &Site) {
    let place = site.place();
    let step = Step::new(&["echo one", "printf 'no newline'", "true", "echo three; (exit 3)"]);
    for (shell, step) in step.everywhere() {
        let end = place.run(step).await;

        assert_eq!(end.codes(), [Some(0), Some(0), Some(0), Some(3)], "{shell}");
        assert_eq!(end.text(), "one\nno newlinethree\n", "{shell}");
        assert_eq!([1, 2, 3, 4].map(|number| end.printed(number)), ["one\n", "no newline", "", "three\n"], "{shell}");
        assert_eq!(*end.result(), AttemptResult::Failed { command: 4 }, "{shell}");
    }
}

async fn a_step_ends_at_the_first_failure(site: &Site) {
    let place = site.place();
    for (shell, step) in Step::new(&["echo one", "false", "echo never"]).everywhere() {
        let end = place.run(step).await;

        assert_eq!(*end.result(), AttemptResult::Failed { command: 2 }, "{shell}");
        assert_eq!(end.text(), "one\n", "{shell}");
    }
}

async fn directory_variables_functions_and_the_last_code_are_carried(site: &Site) {
    let place = site.place();
    let step = Step::new(&[
        "cd /usr && export A=a B='b c' && plain=p",
        "greet() { echo \"hello $1\"; }",
        "echo \"$PWD $A $B $plain\"; sh -c 'echo \"$A-$plain\"'; greet you",
        "! true || true",
        "echo \"code $?\"",
    ]);
    for (shell, step) in step.everywhere() {
        let end = place.run(step).await;

        assert_eq!(end.text(), "/usr a b c p\na-\nhello you\ncode 0\n", "{shell}");
        assert_eq!(*end.result(), AttemptResult::Completed, "{shell}");
        assert_eq!(end.exit.directory.as_deref(), Some("/usr"), "{shell}");
    }
}

async fn a_failed_member_of_a_pipeline_is_never_a_success(site: &Site) {
    let place = site.place();
    let step = Step::new(&["curl() { return 7; }", "curl -s http://down/ | cat"]).pipeline(2, "curl cat");
    for step in [step.clone(), step.pipes()] {
        let end = place.run(step).await;

        assert_eq!(end.command(2).code, Some(0));
        assert_eq!(end.command(2).statuses, [7, 0]);
        assert_eq!(end.outcome(2), Outcome::Failure);
        let sentence = "curl ended 7: nothing was asked, cat saw nothing";
        assert_eq!(end.command(2).explanation.as_deref(), Some(sentence));
        assert_eq!(*end.result(), AttemptResult::Failed { command: 2 });
    }
}

async fn every_member_has_its_code_also_in_unusual_texts(site: &Site) {
    let place = site.place();
    let texts = [
        ("false | (exit 3) | true", vec![1, 3, 0]),
        ("false | true # a comment | in the end", vec![1, 0]),
        ("cat <<X | tr a b\naa\nX", vec![0, 0]),
        ("cat <<X | (cat; exit 4)\naa\nX\n", vec![0, 4]),
        ("false |\n  true", vec![1, 0]),
        ("case x in a|x) true;; esac", vec![0]),
        ("IFS=; false | true", vec![1, 0]),
        ("set -x; false | true", vec![1, 0]),
    ];
    for (text, statuses) in texts {
        let end = place.run(Step::new(&[text])).await;

        assert_eq!(end.command(1).statuses, statuses, "{text}");
    }
}

async fn a_text_that_is_not_whole_runs_as_it_is_and_nothing_is_added_to_it(site: &Site) {
    let place = site.place();
    let end = place.run(Step::new(&["cat <<X | cat\nopen"])).await;
    assert!(end.text().ends_with("open\n") && !end.text().contains("__"), "{}", end.text());

    let end = place.run(Step::new(&["echo a | tr a b \\"])).await;
    assert!(end.text().contains("tr: ") && !end.text().contains("__"), "{}", end.text());

    let end = place.run(Step::new(&["false |"])).await;
    assert_eq!((end.outcome(1), end.command(1).code), (Outcome::Failure, Some(2)));
    assert!(!end.text().contains("__"), "{}", end.text());
}

async fn a_comparison_that_finds_something_is_a_difference_and_the_step_waits(site: &Site) {
    let place = site.place();
    let step = Step::new(&["echo a | grep b", "echo never"]).pipeline(1, "echo grep");
    let end = place.run(step).await;
    assert_eq!(*end.result(), AttemptResult::Difference { command: 1 });
    assert_eq!(end.outcome(1), Outcome::Difference);

    let end = place.run(Step::new(&["echo a | grep b"]).pipeline(1, "echo grep")).await;
    assert_eq!((end.result(), end.outcome(1)), (&AttemptResult::Completed, Outcome::Difference));
}

async fn a_reader_that_has_enough_is_no_failure_and_nobody_complains(site: &Site) {
    let place = site.place();
    let step = Step::new(&["yes | head -n 2"]).pipeline(1, "yes head");
    for step in [step.clone(), step.clone().pipes(), step.pipefail()] {
        let end = place.run(step).await;

        assert_eq!(end.text(), "y\ny\n");
        assert_eq!(end.command(1).statuses, [141, 0]);
        assert_eq!(*end.result(), AttemptResult::Completed);
    }
}

async fn a_bad_answer_to_curl_is_a_difference(site: &Site) {
    let place = site.place();
    let script = "curl() { printf 'HTTP/2 503\\r\\nA: b\\r\\n\\r\\n'; }; curl -sI https://x/";
    let end = place.run(Step::new(&[script]).pipeline(1, "curl")).await;

    assert_eq!(end.outcome(1), Outcome::Difference);
    assert_eq!(end.command(1).explanation.as_deref(), Some("the server answered 503"));
}

async fn a_shell_that_leaves_in_the_middle_says_how(site: &Site) {
    let place = site.place();
    let ended = |code| AttemptResult::ShellEnded { command: 1, code: Some(code) };
    let scripts = [
        ("echo x; exit 3", 3),
        ("echo x; exit 0", 0),
        ("echo x; exec true", 0),
        ("echo x; exec sh -c 'exit 5'", 5),
        ("echo x; set -e; (exit 6)", 6),
        ("echo x; trap 'echo bye >/dev/null' EXIT; exit 7", 7),
        ("echo x; kill -9 $$", 137),
    ];
    for (script, code) in scripts {
        for (shell, step) in Step::new(&[script, "echo never"]).everywhere() {
            let end = place.run(step).await;

            assert_eq!(*end.result(), ended(code), "{script} in {shell}");
            assert_eq!(end.codes(), [Some(code)], "{script} in {shell}");
            assert_eq!(end.printed(1), "x\n", "{script} in {shell}");
        }
    }
}

async fn a_last_command_that_takes_the_shell_with_it_may_still_be_a_success(site: &Site) {
    let place = site.place();
    for script in ["exit 0", "exec true", "trap 'echo bye' EXIT"] {
        let end = place.run(Step::new(&["true", script])).await;

        assert_eq!(*end.result(), AttemptResult::Completed, "{script}");
    }
    let end = place.run(Step::new(&["true", "exit 4"])).await;
    assert_eq!(*end.result(), AttemptResult::ShellEnded { command: 2, code: Some(4) });
}

async fn an_own_trap_at_the_end_still_runs_and_is_heard(site: &Site) {
    let place = site.place();
    for (shell, step) in Step::new(&["trap 'echo cleaned' EXIT", "echo work"]).everywhere() {
        let end = place.run(step).await;

        assert_eq!(end.text(), "work\ncleaned\n", "{shell}");
    }
}

async fn everything_printed_just_before_the_shell_goes_is_there(site: &Site) {
    let place = site.place();
    for (shell, step) in Step::new(&["seq 1 20000; kill -9 $$"]).everywhere() {
        let end = place.run(step).await;

        assert!(end.text().ends_with("\n19999\n20000\n"), "{shell}");
        assert_eq!(end.output.len(), 108_894, "{shell}");
    }
}

async fn a_mistake_in_the_syntax_ends_one_command_and_not_the_shell(site: &Site) {
    let place = site.place();
    for script in ["echo 'open", "if true", "echo )", "for"] {
        for (shell, step) in Step::new(&["echo one", script]).everywhere() {
            let end = place.run(step).await;

            assert_eq!(end.codes(), [Some(0), Some(2)], "{script} in {shell}");
            assert_eq!(*end.result(), AttemptResult::Failed { command: 2 }, "{script} in {shell}");
        }
    }
}

async fn a_stray_break_or_continue_does_not_lose_the_next_command(site: &Site) {
    let place = site.place();
    for script in ["break", "continue", "break 5"] {
        for (shell, step) in Step::new(&[script, "echo next"]).everywhere() {
            let end = place.run(step).await;

            assert_eq!(end.codes(), [Some(0), Some(0)], "{script} in {shell}");
            assert_eq!(end.printed(2), "next\n", "{script} in {shell}");
        }
    }
}

async fn a_command_that_bends_the_shell_does_not_bend_the_driver(site: &Site) {
    let place = site.place();
    for script in ["set -x", "set -u -f", "IFS=x1", "PATH=", "set -e", "stty raw echo opost 2>/dev/null; true"] {
        for (shell, step) in Step::new(&[script, "echo ok", "echo 'a b'"]).everywhere() {
            let end = place.run(step).await;

            assert_eq!(end.codes(), [Some(0); 3], "{script} in {shell}: {}", end.text());
            assert!(end.printed(2).ends_with("ok\n"), "{script} in {shell}: {}", end.text());
            assert!(!end.text().contains("__"), "{script} in {shell}: {}", end.text());
        }
    }
}

async fn output_that_was_sent_elsewhere_does_not_silence_the_marks(site: &Site) {
    let place = site.place();
    for (shell, step) in Step::new(&["exec >/dev/null", "echo unheard", "echo heard >&2"]).everywhere() {
        let end = place.run(step).await;

        assert_eq!(end.codes(), [Some(0); 3], "{shell}");
        assert_eq!(end.text(), "heard\n", "{shell}");
    }
}

async fn texts_of_every_kind_arrive_as_they_are(site: &Site) {
    let place = site.place();
    let here = "cat <<'EOF'\n  $HOME `x` \\n \"q\" 'q'\n\ttab\nEOF";
    let words = "printf '%s' 'äöü €😀 \\t \\\\ \x01\x7f'";
    for (shell, step) in Step::new(&[here, words]).everywhere() {
        let end = place.run(step).await;

        assert_eq!(end.printed(1), "  $HOME `x` \\n \"q\" 'q'\n\ttab\n", "{shell}");
        assert_eq!(end.printed(2), "äöü €😀 \\t \\\\ \x01\x7f", "{shell}");
    }
}

async fn a_command_of_a_megabyte_arrives_whole(site: &Site) {
    let place = site.place();
    let text = "0123456789abcdef".repeat(65_536);
    for (shell, step) in Step::new(&[&format!("x='{text}'; echo ${{#x}}")]).everywhere() {
        let end = place.run(step).await;

        assert_eq!(end.text(), "1048576\n", "{shell}");
    }
}

async fn values_come_from_the_environment_and_nothing_else_does(site: &Site) {
    let place = site.place();
    let step = Step::new(&["printf '%s\\n' \"$file\"", "env | cut -d= -f1 | sort | tr '\\n' ' '"]);
    let end = place.run(step.variable("file", "a b; $(touch /tmp/never) 'ü'")).await;

    assert_eq!(end.printed(1), "a b; $(touch /tmp/never) 'ü'\n");
    let names = "HOME LANG OLDPWD PATH PORTAL_ATTEMPT PWD SHLVL TERM _ file ";
    // What a container gives to every program in it is a part of the container.
    assert_eq!(end.printed(2).replace("HOSTNAME ", ""), names.replace("OLDPWD ", ""));
}

async fn nothing_waits_in_a_pager_or_an_editor(site: &Site) {
    let place = site.place();
    let step = Step::new(&[
        "cd $(mktemp -d) && git init -q . && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m one",
        "git log --oneline | cat; git log; git --version",
    ]);
    let step = step.variable("GIT_PAGER", "cat").variable("PAGER", "cat").variable("GIT_EDITOR", ":");
    let end = place.run(step).await;

    assert_eq!(*end.result(), AttemptResult::Completed, "{}", end.text());
    assert!(end.printed(2).contains("git version"));
}

async fn a_command_that_reads_gets_the_end_of_file_on_pipes_and_input_on_a_terminal(site: &Site) {
    let place = site.place();
    let step = Step::new(&["echo ready; read -r line; echo \"got <$line>\""]);

    let end = place.run(step.clone().pipes()).await;
    assert_eq!(end.text(), "ready\ngot <>\n");

    let id = place.launch(step).await;
    place.wait_for(id, "ready").await;
    place.engine.input(&id, 1, "yes, do it".to_owned()).await.unwrap();
    let end = place.end(id).await;
    assert_eq!(end.text(), "ready\ngot <yes, do it>\n");
}

async fn what_was_typed_ahead_never_becomes_a_command(site: &Site) {
    let place = site.place();
    let step = Step::new(&["echo ready; head -n 1 >/dev/null", "echo next"]).interactive();
    let id = place.launch(step).await;
    place.wait_for(id, "ready").await;

    place.engine.keys(&id, 1, b"one\necho intruder\necho half".to_vec()).await.unwrap();

    let end = place.end(id).await;
    assert_eq!(end.text(), "ready\nnext\n");
    assert_eq!(*end.result(), AttemptResult::Completed);
}

/// Of this machine alone: the sentences for other targets are others.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_started_says_so_in_a_sentence() {
    let place = Place::new();
    let fine = Step::new(&["echo never"]);
    let gone = fine.clone().directory(std::path::Path::new("/gone/away"));
    let nothing = fine.clone().environment([("PATH".to_owned(), "/nowhere".to_owned())].into());
    let cases = [
        (fine.clone().shell(&["no-such-shell"]), "The shell no-such-shell is not there (in PATH)."),
        (fine.clone().shell(&["/no/bash"]), "The shell /no/bash is not there (on this machine)."),
        (nothing, "The shell bash is not there (in PATH)."),
        (fine.clone().shell(&[]), "No shell is configured for this target."),
        (fine.clone().shell(&["bash", "--no-such-option"]), "The shell ended before it was ready"),
        (gone, "The directory /gone/away is not there, or may not be entered."),
        (Step::new(&["echo a\0b"]), "Command 1 contains a NUL byte"),
        (Step::new(&["true", "cd /tmp\r\nls\r\n"]), "Command 2 has lines that end as Windows ends them (CR LF)."),
        (Step::new(&["cd /tmp\r"]), "Command 1 has lines that end as Windows ends them (CR LF)."),
        (fine.clone().variable("visitor", "a\0b"), "The value of visitor contains a NUL byte"),
        (fine.clone().variable("a=b", "c"), "\"a=b\" cannot be the name of a variable."),
        (
            fine.clone().variable("list", &"x".repeat(131_067)),
            "The value of list is too long for a program: 131067 bytes;",
        ),
    ];
    for (step, sentence) in cases {
        let end = place.run(step).await;

        let AttemptResult::NotStarted { reason } = end.result() else { panic!("{sentence}: {:?}", end.result()) };
        assert!(reason.starts_with(sentence), "{reason}");
        assert!(end.marks.is_empty(), "{sentence}");
    }
    let longest = fine.variable("list", &"x".repeat(131_066));
    assert_eq!(*place.run(longest).await.result(), AttemptResult::Completed);
}

async fn a_directory_that_goes_away_in_the_middle_is_recorded_by_its_name(site: &Site) {
    let place = site.place();
    let folder = place.folder.path().join("short-lived");
    let script = format!("mkdir {0} && cd {0}", folder.display());
    let end = place.run(Step::new(&[&script, "rmdir \"$PWD\"", "echo still here"])).await;
    assert_eq!((end.result(), end.printed(3).as_str()), (&AttemptResult::Completed, "still here\n"));
    assert_eq!(end.exit.directory.as_deref(), folder.to_str());

    let next = place.run(Step::new(&["true"]).directory(&folder)).await;

    let AttemptResult::NotStarted { reason } = next.result() else { panic!("{:?}", next.result()) };
    let place_of_it = if site.way().is_zero() { "" } else { " at the target" };
    let sentence = format!("The directory {} is not there{place_of_it}, or may not be entered.", folder.display());
    assert_eq!(*reason, sentence);
}

async fn a_step_that_stays_is_where_it_began_whatever_links_lead_there(site: &Site) {
    let place = site.place();
    let (real, link) = (place.folder.path().join("real"), place.folder.path().join("link"));
    std::fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let through = format!("{}/", link.display());

    let stayed = place.run(Step::new(&["pwd"]).directory(std::path::Path::new(&through))).await;
    let moved = place.run(Step::new(&["cd .."]).directory(&link)).await;

    assert_eq!(stayed.exit.directory.as_deref(), Some(through.as_str()));
    assert_eq!(moved.exit.directory.as_deref(), place.folder.path().canonicalize().unwrap().to_str());
}
