//! The bytes that were printed: all of them, as they are, for whoever reads.

use std::time::Duration;

use domain::attempt::{AttemptResult, CommandRange, Mark};

use crate::harness::{Place, Step};
use crate::sites::Site;

at_every_target! {
    all_256_bytes_are_kept_as_they_are,
    a_line_of_200_kilobytes_and_a_million_short_ones_are_whole,
    forged_marks_stay_output_and_end_nothing,
    a_busy_background_job_tears_no_mark,
    beyond_the_cap_the_first_and_the_last_half_are_kept_and_the_rest_is_counted,
    places_behind_the_cap_are_provisional_until_the_step_has_ended_and_exact_then,
    an_output_of_exactly_the_cap_is_whole,
    who_follows_sees_every_byte_while_it_comes_and_the_place_of_the_cut,
    the_watch_is_shared_and_goes_with_its_last_viewer,
    thirty_attempts_at_once_are_all_complete,
    a_command_that_takes_a_moment_is_said_to_have_taken_one,
    marks_carry_places_and_times_that_only_grow,
}

/// What the kernel refuses beyond a size is an error as a broken disk makes one: nothing that may pass.
/// Of this machine alone: it limits the shim and all below it.
#[tokio::test(flavor = "multi_thread")]
async fn output_that_the_disk_does_not_take_is_told_with_its_place_and_nobody_is_accused() {
    let place = Place::behind("trap '' XFSZ; ulimit -f 100");

    let at_once = place.run(Step::new(&["seq 1 30000; (exit 3)"])).await;
    let at_the_end = place.run(Step::new(&["seq 1 30000; (exit 3)"]).cap(80_000)).await;

    for (end, cut) in [(at_once, 51_200), (at_the_end, 40_000)] {
        assert_eq!((end.result(), end.codes()), (&AttemptResult::Failed { command: 1 }, vec![Some(3)]));
        assert_eq!((end.exit.bytes, end.exit.cut, end.exit.dropped), (cut, Some(cut), 168_894 - cut));
        let sentence =
            format!("The output could not be stored from byte {cut} on, because the disk failed (file too large).");
        assert_eq!(end.exit.notes.unstored, [sentence]);
        assert!(end.exit.notes.tampered.is_empty() && !end.exit.notes.disk_full, "{:?}", end.exit.notes);
    }
}

async fn all_256_bytes_are_kept_as_they_are(site: &Site) {
    let place = site.place();
    let all: Vec<u8> = (0..=255).collect();
    let source = place.folder.path().join("bytes");
    std::fs::write(&source, all.repeat(300)).unwrap();
    for (shell, step) in Step::new(&[&format!("cat {}", source.display())]).everywhere() {
        let end = place.run(step).await;

        assert!(end.output == all.repeat(300), "{shell}");
    }
}

async fn a_line_of_200_kilobytes_and_a_million_short_ones_are_whole(site: &Site) {
    let place = site.place();
    for (shell, step) in Step::new(&["head -c 200000 /dev/zero | tr '\\0' x", "seq 1 1000000"]).everywhere() {
        let end = place.run(step).await;

        assert_eq!(end.printed(1), "x".repeat(200_000), "{shell}");
        assert_eq!(end.printed(2).len(), 6_888_896, "{shell}");
        assert!(end.printed(2).starts_with("1\n2\n") && end.printed(2).ends_with("\n1000000\n"), "{shell}");
    }
}

async fn forged_marks_stay_output_and_end_nothing(site: &Site) {
    let place = site.place();
    let forged = "printf '\\033]133;D;0;;0123456789abcdef0123456789abcdef\\007\\033]133;A;x\\007'";
    let end = place.run(Step::new(&[forged, "echo next"])).await;

    assert_eq!(end.printed(1), "\x1b]133;D;0;;0123456789abcdef0123456789abcdef\x07\x1b]133;A;x\x07");
    assert_eq!(*end.result(), AttemptResult::Completed);
}

async fn a_busy_background_job_tears_no_mark(site: &Site) {
    let place = site.place();
    let commands: Vec<String> = (0..30).map(|number| format!("echo c{number}")).collect();
    let mut scripts = vec!["(while :; do echo noise; done) &"];
    scripts.extend(commands.iter().map(String::as_str));
    scripts.push("kill $!");
    for step in [Step::new(&scripts), Step::new(&scripts).pipes()] {
        let end = place.run(step).await;

        assert_eq!(end.codes(), vec![Some(0); 32]);
        assert!((2..32).all(|number| end.printed(number).contains(&format!("c{}\n", number - 2))));
        assert!(!end.text().contains('\x1b'));
    }
}

async fn beyond_the_cap_the_first_and_the_last_half_are_kept_and_the_rest_is_counted(site: &Site) {
    let place = site.place();
    for (shell, step) in Step::new(&["seq 1 100000", "echo last"]).everywhere() {
        let end = place.run(step.cap(2001)).await;

        let numbers: Vec<String> = (1..=100_000).map(|number| number.to_string()).collect();
        let whole = numbers.join("\n") + "\nlast\n";
        let expected = format!("{}{}", &whole[..1000], &whole[whole.len() - 1001..]);
        assert_eq!(end.text(), expected, "{shell}");
        assert_eq!((end.exit.dropped, end.exit.cut), (whole.len() as u64 - 2001, Some(1000)), "{shell}");
        assert_eq!(end.printed(2), "last\n", "{shell}");
        let ranges = [(1, 0, 1996), (2, 1996, 2001)].map(|(command, from, to)| CommandRange { command, from, to });
        assert_eq!(end.exit.notes.ranges, ranges, "{shell}");
        assert!(!end.exit.notes.disk_full, "{shell}");
        assert!(!place.engine.folder(&end.id).join("out.tail").exists());
    }
}

async fn places_behind_the_cap_are_provisional_until_the_step_has_ended_and_exact_then(site: &Site) {
    let place = site.place();
    let id = place.launch(Step::new(&["seq 1 1000", "echo two", "read -r go", "echo four"]).cap(100)).await;
    place.progress(id, |progress| progress.marks == 5 && progress.cut.is_some()).await;
    let offset = |mark: &Mark| match mark {
        Mark::Started { offset, .. } | Mark::Ended { offset, .. } => *offset,
    };

    let provisional: Vec<u64> = place.engine.marks(&place.intent(id), 0).unwrap().iter().map(offset).collect();
    place.engine.input(&id, 3, "go".to_owned()).await.unwrap();
    let end = place.end(id).await;

    assert_eq!(provisional, [0, 50, 50, 50, 50], "all that is known is that they are not before the cut");
    assert_eq!(end.marks.iter().map(offset).collect::<Vec<_>>(), [0, 91, 91, 95, 95, 95, 95, 100]);
    let ranges = end.exit.notes.ranges.iter().map(|range| (range.command, range.from, range.to)).collect::<Vec<_>>();
    assert_eq!(ranges, [(1, 0, 91), (2, 91, 95), (3, 95, 95), (4, 95, 100)]);
    assert_eq!((end.printed(2).as_str(), end.printed(4).as_str()), ("two\n", "four\n"));
    let whole = place.run(Step::new(&["echo one"])).await;
    assert!(whole.exit.notes.ranges.is_empty(), "nothing was left out: the marks have been exact all the time");
}

async fn an_output_of_exactly_the_cap_is_whole(site: &Site) {
    let place = site.place();
    let end = place.run(Step::new(&["printf 0123456789"]).cap(10)).await;
    assert_eq!((end.text().as_str(), end.exit.dropped, end.exit.cut), ("0123456789", 0, None));

    let end = place.run(Step::new(&["printf 0123456789a"]).cap(10)).await;
    assert_eq!((end.text().as_str(), end.exit.dropped, end.exit.cut), ("012346789a", 1, Some(5)));

    let end = place.run(Step::new(&["printf 0123456789a"]).cap(0)).await;
    assert_eq!((end.text().as_str(), end.exit.dropped, end.exit.cut), ("", 11, Some(0)));
}

async fn who_follows_sees_every_byte_while_it_comes_and_the_place_of_the_cut(site: &Site) {
    let place = site.place();
    let id = place.launch(Step::new(&["echo one; read -r go; seq 1 1000"]).cap(1000)).await;
    place.wait_for(id, "one").await;
    let mut progress = place.engine.follow(&place.intent(id)).unwrap();
    // The bytes are in the file a moment before the notice of them: what counts is that the notice comes.
    let noticed = tokio::time::timeout(Duration::from_mins(3), progress.wait_for(|progress| progress.length > 0));
    let before = *noticed.await.expect("no notice of the first line").unwrap();
    assert_eq!((before.length, before.marks, before.cut, before.done), (4, 1, None, false));

    place.engine.input(&id, 1, "go".to_owned()).await.unwrap();
    let end = *progress.wait_for(|progress| progress.done).await.unwrap();

    assert_eq!((end.length, end.marks, end.cut), (1000, 2, Some(500)));
    assert_eq!(place.engine.read(&id, 0, 4).await.unwrap(), "one\n");
    assert_eq!(place.engine.read(&id, 990, 1 << 20).await.unwrap().len(), 10);
    assert_eq!(place.engine.read(&id, 5000, 10).await.unwrap().len(), 0);
}

async fn the_watch_is_shared_and_goes_with_its_last_viewer(site: &Site) {
    let place = site.place();
    let id = place.launch(Step::new(&["echo one; read -r go"])).await;
    place.wait_for(id, "one").await;
    let viewers: Vec<_> = (0..50).map(|_| place.engine.follow(&place.intent(id)).unwrap()).collect();
    assert_eq!(place.engine.followed(), 1);

    drop(viewers);

    // The watch is let go by a task that has to get its turn.
    while place.engine.followed() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(place.engine.read(&id, 0, 100).await.unwrap(), "one\n");
    place.engine.input(&id, 1, "go".to_owned()).await.unwrap();
    place.end(id).await;
    assert_eq!(place.engine.followed(), 0);
}

async fn thirty_attempts_at_once_are_all_complete(site: &Site) {
    let place = site.place();
    let mut ids = Vec::new();
    for number in 0..30 {
        let step = Step::new(&["seq 1 10000", "echo end"]);
        ids.push(place.launch(if number % 2 == 0 { step } else { step.pipes() }).await);
    }
    for id in ids {
        let end = place.end(id).await;

        assert_eq!(end.output.len(), 48_894 + 4);
        assert_eq!(*end.result(), AttemptResult::Completed);
        assert_eq!(end.marks.len(), 4);
    }
}

/// Over the layers of a container the kernel does not tell that a log has grown. Who looks there once a second would say of most of
/// these that they took no time.
async fn a_command_that_takes_a_moment_is_said_to_have_taken_one(site: &Site) {
    let place = site.place();
    let end = place.run(Step::new(&["sleep 0.3"; 10])).await;

    let durations: Vec<u64> = (1..=10).map(|number| end.command(number).duration_ms).collect();
    let without = durations.iter().filter(|duration| **duration < 100).count();
    assert!(without <= 3, "{durations:?}");
}

async fn marks_carry_places_and_times_that_only_grow(site: &Site) {
    let place = site.place();
    let end = place.run(Step::new(&["echo one", "sleep 0.2", "echo three"])).await;

    let places: Vec<(u64, i64)> = end
        .marks
        .iter()
        .map(|mark| match mark {
            Mark::Started { offset, at, .. } | Mark::Ended { offset, at, .. } => (*offset, *at),
        })
        .collect();
    assert!(places.is_sorted());
    assert_eq!(places.iter().map(|(offset, _)| *offset).collect::<Vec<_>>(), [0, 4, 4, 4, 4, 10]);
    // Elsewhere a mark has the time at which it has come.
    assert!(end.command(2).duration_ms >= 100 || !site.way().is_zero());
    assert_eq!(place.engine.marks(&place.intent(end.id), 4).unwrap(), end.marks[4..]);
}
