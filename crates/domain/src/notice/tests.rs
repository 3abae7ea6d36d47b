use super::*;
use crate::plan::Plan;
use crate::run::tests::stage::{
    Story, ask, ask_redaction, command, confirm_redaction, facts, grant, person, plan, to_keeper, with_value,
};
use crate::run::{Command, Facts, Verdict, decide};

const ORIGIN: Option<&str> = Some("https://portal.example.com");

/// Step 4, *Clear*, destroys what the parameter names.
fn destroying() -> Plan {
    let mut plan = plan();
    plan.steps[3].commands = vec![with_value(command("rm -rf X", Risk::Destroys), "branch")];
    plan
}

fn asked() -> Story {
    Story::of(destroying()).sets("branch", "/backups/latest.dump").does(ask(1, &[(4, &[1])]))
}

/// The same by somebody with a role, with a second factor.
fn goes_on(story: Story, name: &str, role: Role, command: &Command) -> Story {
    let who = person(name, role);
    let facts = Facts { factor: Some("code".to_owned()), now: story.now, ..facts(Some(role)) };
    let events = decide(Some(&story.run), command, &who, &facts).unwrap();
    story.with(events, &who)
}

/// What is told of the last event of a story.
fn told(story: &Story) -> (Notice, Audience) {
    Notice::of(&story.run, story.entries.last().unwrap()).unwrap()
}

fn breaks_glass() -> Story {
    let story = Story::of(destroying()).sets("branch", "/backups/latest.dump");
    let command = Command::BreakGlass { request: 1, wanted: vec![(4, vec![1])], reason: "nobody answers".to_owned() };
    goes_on(story, "Olga", Role::Lead, &command)
}

fn is_told(audience: &Audience, name: &str, role: Role) -> bool {
    audience.includes(person(name, role).id().unwrap(), role)
}

#[test]
fn a_request_is_told_to_whoever_may_decide_it_and_not_to_whoever_asked() {
    let (notice, audience) = told(&asked());

    assert_eq!(notice.occasion, Occasion::Asked);
    assert!(is_told(&audience, "Lena", Role::Lead) && is_told(&audience, "Ada", Role::Administrator));
    assert!(!is_told(&audience, "Otto", Role::Operator) && !is_told(&audience, "Vera", Role::Viewer));
    assert!(!is_told(&audience, "Olga", Role::Lead), "whoever asked cannot decide");
    assert_eq!(notice.subject(), "Olga asks for approval of \u{201c}Clear\u{201d} on local.");
    assert_eq!(notice.path(), "/approvals/12-1");
}

#[test]
fn a_decision_is_told_to_whoever_asked() {
    let reject = Command::Reject { request: 1, reason: "not now".to_owned() };
    let cancel = Command::CancelApproval { request: 1, reason: String::new() };
    let cases = [
        (goes_on(asked(), "Lena", Role::Lead, &grant(1)), "Lena approved \u{201c}Clear\u{201d} on local."),
        (goes_on(asked(), "Lena", Role::Lead, &reject), "Lena rejected \u{201c}Clear\u{201d} on local."),
        (
            goes_on(asked(), "Lena", Role::Lead, &cancel),
            "Lena took back the request for \u{201c}Clear\u{201d} on local.",
        ),
        (
            asked().waits(30).hears(Command::Expire { request: 1 }),
            "Nobody decided in time about \u{201c}Clear\u{201d} on local.",
        ),
    ];

    for (story, subject) in cases {
        let (notice, audience) = told(&story);

        assert_eq!(notice.subject(), subject);
        assert!(is_told(&audience, "Olga", Role::Operator), "{subject}");
        assert!(!is_told(&audience, "Lars", Role::Lead), "{subject}");
    }
    let own = told(&asked().does(Command::CancelApproval { request: 1, reason: String::new() })).1;
    assert_eq!(own, Audience::Nobody, "nobody is told what they have just done themselves");
}

#[test]
fn a_broken_glass_is_told_to_all_leads_and_administrators_also_to_whoever_broke_it() {
    let (notice, audience) = told(&breaks_glass());

    assert_eq!(notice.occasion, Occasion::GlassBroken);
    for (name, role) in [("Olga", Role::Lead), ("Lena", Role::Lead), ("Ada", Role::Administrator)] {
        assert!(is_told(&audience, name, role), "{name}");
    }
    assert!(!is_told(&audience, "Otto", Role::Operator));
    assert!(notice.text(None).contains("Reason: nobody answers"));

    let review = Command::ReviewGlass { request: 1, comment: "it was right".to_owned() };
    let (notice, audience) = told(&goes_on(breaks_glass(), "Lena", Role::Lead, &review));
    assert_eq!(notice.subject(), "Lena reviewed the glass that Olga broke for \u{201c}Clear\u{201d} on local.");
    assert!(is_told(&audience, "Olga", Role::Lead) && !is_told(&audience, "Ada", Role::Administrator));
}

#[test]
fn no_value_is_told_unless_the_channel_tells_values() {
    let void = asked().sets("branch", "/backups/other.dump");
    let (notice, audience) = told(&void);
    assert_eq!((notice.occasion, &audience), (Occasion::Void, &Audience::Nobody), "Olga did it herself");

    let with = notice.text(ORIGIN);
    let without = notice.without_values().text(ORIGIN);

    assert!(with.contains("/backups/latest.dump") && with.contains("Value: branch = /backups/other.dump"), "{with}");
    assert!(!without.contains("dump") && !without.contains("Value:"), "{without}");
    assert!(without.contains("Changed: the value of branch\n"), "{without}");
}

#[test]
fn the_path_of_a_changed_file_is_a_value_and_not_told_either() {
    let mut story = goes_on(asked(), "Lena", Role::Lead, &grant(1));
    let what = "the file /backups/latest.dump was not looked at".to_owned();
    let why = vec![Difference { what, approved: String::new(), now: String::new() }];
    story = story.with(vec![Event::ApprovalVoided { request: 1, why }], &crate::run::Who::Portal);

    let text = told(&story).0.without_values().text(None);

    assert!(text.contains("Changed: the file branch was not looked at\n"), "{text}");
}

/// Ada has asked to cover something that the first step printed.
fn redaction_asked() -> Story {
    let looked = Story::begun().sets("branch", "hunter-otter").succeeds(1, &[1, 2]);
    goes_on(looked, "Ada", Role::Administrator, &ask_redaction(1, 1, &[(0, 4), (5, 9)]))
}

#[test]
fn what_is_to_be_covered_is_told_to_whoever_may_confirm_it_and_where() {
    let (notice, audience) = told(&redaction_asked());

    assert!(is_told(&audience, "Lena", Role::Lead) && is_told(&audience, "Alan", Role::Administrator));
    assert!(!is_told(&audience, "Otto", Role::Operator), "an operator confirms nothing");
    assert!(!is_told(&audience, "Ada", Role::Administrator), "who asked does not confirm");
    assert_eq!(
        notice.text(ORIGIN),
        "Ada wants 8 bytes in 2 places of the output of \u{201c}Look\u{201d} on local covered.\n\
         \n\
         Run: 12, Restart\n\
         Reason: a password\n\
         \n\
         Nothing is covered before another lead or administrator has confirmed it. Until then everybody can read it.\n\
         \n\
         https://portal.example.com/runs/12?step=1&attempt=1#covering\n"
    );
    assert!(notice.text(None).ends_with("Look at redaction 12-1 under Approvals in the portal.\n"));
}

#[test]
fn no_value_goes_out_with_a_redaction_since_it_may_be_what_is_covered() {
    let (notice, _) = told(&redaction_asked());

    assert!(!serde_json::to_string(&notice).unwrap().contains("hunter-otter"));
}

#[test]
fn what_became_of_a_redaction_is_told_to_whoever_asked_unless_they_did_it_themselves() {
    let no = Command::RejectRedaction { number: 1, reason: "needed as proof".to_owned() };
    let place = "8 bytes in 2 places of the output of \u{201c}Look\u{201d} on local";
    for (command, subject, reason) in [
        (&confirm_redaction(1), format!("Lena confirmed that {place} are covered."), ""),
        (&no, format!("Lena said no to covering {place}."), "needed as proof"),
    ] {
        let (notice, audience) = told(&goes_on(redaction_asked(), "Lena", Role::Lead, command));

        assert_eq!((notice.subject(), notice.reason.as_str()), (subject, reason));
        assert!(is_told(&audience, "Ada", Role::Administrator) && !is_told(&audience, "Lars", Role::Lead));
    }
    let own = told(&goes_on(redaction_asked(), "Ada", Role::Administrator, &no)).1;
    assert_eq!(own, Audience::Nobody);
}

#[test]
fn a_notice_of_a_version_that_told_of_no_redactions_is_read() {
    let mut stored = serde_json::to_value(told(&asked()).0).unwrap();
    assert!(stored.as_object_mut().unwrap().remove("covering").is_none(), "what is not there is not stored");

    assert_eq!(serde_json::from_value::<Notice>(stored).unwrap(), told(&asked()).0);
}

#[test]
fn a_notice_says_who_what_why_until_when_and_where() {
    let (notice, _) = told(&asked());

    assert_eq!(
        notice.clone().without_values().text(ORIGIN),
        "Olga asks for approval of \u{201c}Clear\u{201d} on local.\n\
         \n\
         Run: 12, Restart\n\
         Class: destroys\n\
         Reason: data is corrupt\n\
         Until: Mon 23 Nov 2026, 22:28:04 UTC\n\
         \n\
         Nothing of it starts before a lead has approved it. Whoever has worked in the run cannot decide.\n\
         \n\
         https://portal.example.com/approvals/12-1\n"
    );
    assert!(notice.text(None).ends_with("Look at request 1 of run 12 under Approvals in the portal.\n"));
}

#[test]
fn what_other_people_wrote_is_one_line_of_a_bounded_length() {
    let (mut notice, _) = told(&asked());
    notice.by = "Olga\r\nBcc: eve@example.com".to_owned();
    notice.reason = "x\n".repeat(10_000);
    notice.steps = vec!["y".repeat(10_000); 50];
    notice.values = (0..100).map(|number| (format!("v{number}"), "z".repeat(1_000))).collect();

    let text = notice.text(None);

    assert!(text.starts_with("Olga Bcc: eve@example.com asks"), "{text}");
    assert!(text.len() < 4_000, "{}", text.len());
}

#[test]
fn of_several_leads_each_approval_says_how_many_are_still_missing() {
    let (mut notice, _) = told(&goes_on(asked(), "Lena", Role::Lead, &grant(1)));
    assert!(notice.until.is_some() && notice.missing == 0);
    notice.missing = 1;

    assert!(notice.subject().ends_with("; one more lead has still to approve."));
    assert_eq!(notice.advice(), "Nothing of it starts before then.");
}

#[test]
fn what_is_no_business_of_anybody_is_not_told() {
    let closed = Story::of(destroying()).does(Command::Finish { verdict: Verdict::Aborted, comment: "no".to_owned() });

    for entry in &closed.entries {
        assert_eq!(Notice::of(&closed.run, entry), None, "{:?}", entry.event.kind());
    }
}

#[test]
fn an_occasion_has_one_name_everywhere() {
    for occasion in Occasion::ALL {
        assert_eq!(serde_json::to_value(occasion).unwrap(), occasion.name());
    }
}

#[test]
fn a_channel_is_read_back_as_it_was_written() {
    for channel in [Channel::Mail, Channel::Webhook("ops".to_owned()), Channel::Webhook("mail".to_owned())] {
        assert_eq!(Channel::parse(&channel.to_string()), Some(channel));
    }
    assert_eq!(Channel::parse("pigeon"), None);
}

/// Otto has called the keeper, who is told by mail and by a webhook.
fn called() -> Story {
    let story = Story::begun().sets("branch", "hunter-otter");
    let to = vec![crate::escalation::Addressee { webhook: Some("ops".to_owned()), ..to_keeper().remove(0) }];
    let text = "It does not start.\nLook at its log.".to_owned();
    goes_on(story, "Otto", Role::Operator, &Command::Escalate { number: 1, to, text })
}

#[test]
fn who_is_called_is_told_with_the_hand_over_and_nobody_else() {
    let (notice, audience) = told(&called());

    assert!(is_told(&audience, "Lena", Role::Viewer), "whatever her role");
    assert!(!is_told(&audience, "Lars", Role::Lead) && !is_told(&audience, "Otto", Role::Operator));
    assert!(notice.is_for("ops") && !notice.is_for("team"));
    assert_eq!((notice.path().as_str(), notice.about()), ("/runs/12", None));
    assert_eq!(
        notice.without_values().text(ORIGIN),
        "Otto calls the keeper (Lena) into \u{201c}Restart\u{201d} on local.\n\
         \n\
         Run: 12, Restart\n\
         Reason: A person decided so.\n\
         \n\
         It does not start.\n\
         Look at its log.\n\
         \n\
         Nothing was started or stopped by this. Open the run to look at it or to take it over.\n\
         \n\
         https://portal.example.com/runs/12\n"
    );
}

#[test]
fn values_go_along_with_an_escalation_only_where_the_channel_tells_values() {
    let (notice, _) = told(&called());

    assert!(notice.text(None).contains("Value: branch = hunter-otter"));
    assert!(notice.text(None).ends_with("Look at run 12 in the portal.\n"));
    assert!(!serde_json::to_string(&notice.without_values()).unwrap().contains("hunter-otter"));
}

#[test]
fn every_other_notice_is_for_every_webhook() {
    let (notice, _) = told(&asked());

    assert!(notice.is_for("ops") && notice.about() == Some((notice.run, 1)));
}
