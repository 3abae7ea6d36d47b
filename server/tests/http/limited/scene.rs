//! A portal with a procedure for everybody and one for a group, and people inside and outside of that group.

use std::time::Duration;

use app::api::{Policy, policy};
use axum::body::{Body, BodyDataStream};
use domain::RunId;
use domain::policy::{Role, Sight, allows};
use futures::StreamExt as _;
use http::header;
use server::http::routes;

use crate::account;
use crate::site::{Answer, Served, WATCH, call};

/// Longer than a line takes that is told at once.
const PATIENCE: Duration = Duration::from_secs(30);

/// One procedure for everybody and one for the keepers, whose name stands in the table of contents as well.
pub const DOCUMENT: &str = "# Operations

- [Restart the shop](#restart-the-shop)
- [Open the vault](#open-the-vault): for the keepers alone

## Restart the shop

### Trigger Conditions

- The shop is shut

### Steps

1. **Stop it**

   ```bash
   docker stop no-such-container || true
   ```

2. **Tidy up**

   ```bash
   rm -r /no/such/cupboard
   ```

## Open the vault

### Trigger Conditions

- The vault stays dark

### Steps

1. **Turn the key**

   ```bash
   echo \"gold-$((6*7)) WORD\"
   ```

2. **Close the shop**

   ```bash
   docker stop no-such-container || true
   ```

3. **Empty it**

   ```bash
   rm -r /no/such/chest
   ```

4. **Wait**

   ```bash
   read -r go
   ```

### Expected Outcome

- The chest is open
";

/// Who sees the second one, and which value it takes.
pub const SIDE: &str = "[procedure.\"Open the vault\"]
visible_to = [\"keepers\"]

[procedure.\"Open the vault\".parameter.word]
placeholder = \"WORD\"
type = \"text\"
";

/// What nobody outside of the group may read: title, text, commands, values, output, reasons.
const SECRETS: [&str; 10] = [
    "Open the vault",
    "for the keepers alone",
    "The vault stays dark",
    "Turn the key",
    "/no/such/chest",
    "The chest is open",
    "moonstone",
    "gold-42",
    "the hinge is rusty",
    "the chest is full",
];

/// Run 1 is open and holds the lock, its third step waits for an approval; run 2 is closed, and something in its output is to be
/// covered; run 3 is of the other procedure.
pub struct Vault {
    pub site: Served,
    pub ada: String,
    /// Outside of the group: a viewer, an operator, a lead.
    pub vera: String,
    pub otto: String,
    pub lars: String,
    /// Inside: an operator, a lead.
    pub olga: String,
    pub lena: String,
}

impl Vault {
    pub async fn with(document: &str, beside: &str) -> Self {
        let site = Served::with_side_file("operations.md", document, beside).await;
        let ada = site.administrator().await;
        let vera = site.person("vera", "Vera", "viewer", &ada).await;
        let otto = site.person("otto", "Otto", "operator", &ada).await;
        let lars = site.person("lars", "Lars", "lead", &ada).await;
        let olga = site.person("olga", "Olga", "operator", &ada).await;
        let lena = site.person("lena", "Lena", "lead", &ada).await;
        let vault = Self { site, ada, vera, otto, lars, olga, lena };
        vault.put("olga", "keepers").await;
        vault.put("lena", "keepers, on-call").await;
        vault
    }

    pub async fn open() -> Self {
        let vault = Self::with(DOCUMENT, SIDE).await;
        let start = "slug=open-the-vault&target=&reason=the+hinge+is+rusty&values[word]=moonstone&key=";
        for key in ["one", "two"] {
            vault.done("/api/runs/start", &format!("{start}{key}"), &vault.olga).await;
        }
        vault.done("/api/runs/start", "slug=restart-the-shop&target=&key=three", &vault.otto).await;
        vault.runs(1, 1, "").await;
        vault.runs(1, 2, "&outage=nobody+is+there").await;
        let ask = "run=1&request=1&wanted[s3.1]=on&reason=the+chest+is+full";
        vault.done("/api/approvals/ask", ask, &vault.olga).await;
        vault.runs(2, 1, "").await;
        let cover = "run=2&step=1&attempt=1&text=gold-42&reason=the+chest+is+full";
        vault.done("/api/redactions/ask", cover, &vault.ada).await;
        vault.done("/api/runs/finish", "run=2&verdict=not_reached&comment=enough", &vault.olga).await;
        vault
    }

    /// Lets Olga run a step to its end.
    async fn runs(&self, run: u32, step: u32, more: &str) {
        let form = format!("run={run}&step={step}&attempt=1&commands=1{more}");
        self.done("/api/runs/run", &form, &self.olga).await;
        self.site.ended(run, step).await;
    }

    pub async fn post(&self, path: &str, form: &str, cookie: &str) -> Answer {
        account::post(&self.site, path, form, cookie).await
    }

    pub async fn done(&self, path: &str, form: &str, cookie: &str) {
        account::done(&self.site, path, form, cookie).await;
    }

    /// Puts somebody into groups.
    pub async fn put(&self, login: &str, groups: &str) {
        let person = self.site.portal.store().person_by_login(login).await.unwrap().unwrap().id;
        let form = format!("person={person}&groups={}", groups.replace(' ', "+"));
        self.done("/api/people/groups", &form, &self.ada).await;
    }

    /// Everybody outside of the group, with their roles.
    pub fn outside(&self) -> [(&String, Role); 3] {
        [(&self.vera, Role::Viewer), (&self.otto, Role::Operator), (&self.lars, Role::Lead)]
    }

    /// Everybody inside, and who sees everything.
    pub fn inside(&self) -> [(&String, Role); 3] {
        [(&self.olga, Role::Operator), (&self.lena, Role::Lead), (&self.ada, Role::Administrator)]
    }

    pub async fn versions(&self) -> Vec<u64> {
        let mut versions = Vec::new();
        for run in [1, 2] {
            let run = self.site.portal.store().run(RunId(run), &Sight::EVERYTHING).await.unwrap();
            versions.push(run.unwrap().version);
        }
        versions
    }

    /// The stream of a run's page.
    pub async fn watch(&self, run: i64, cookie: &str) -> BodyDataStream {
        let form = WATCH.replace("RUN", &run.to_string());
        self.site.stream(call("/api/runs/watch").header(header::COOKIE, cookie).body(Body::from(form)).unwrap()).await
    }

    /// The numbers that the stream of the inbox tells.
    pub async fn waiting(&self, cookie: &str) -> BodyDataStream {
        self.site.stream(call(routes::WAITING).header(header::COOKIE, cookie).body(Body::empty()).unwrap()).await
    }
}

/// The next piece of a stream.
pub async fn next(stream: &mut BodyDataStream) -> String {
    let piece = tokio::time::timeout(PATIENCE, stream.next()).await.expect("it is told at once");
    String::from_utf8_lossy(&piece.expect("the stream goes on").unwrap()).into_owned()
}

/// Nothing of what is limited stands in what somebody was told.
pub fn says_nothing(what: &str, body: &str) {
    for secret in SECRETS {
        assert!(!body.contains(secret), "{what} tells \u{201c}{secret}\u{201d}: {body}");
    }
}

/// How an address meets what is limited.
pub enum Meets {
    /// It is asked for one thing by its name; `RUN` and `SLUG` stand for that.
    ByName(&'static str),
    /// It lists, of which what is limited is a part.
    Lists,
    /// It has nothing to do with procedures and runs, or is for who looks after people.
    Nothing,
}

/// Every server function has to be here: one that is not, nobody has thought of.
pub fn meets(path: &str) -> Meets {
    use Meets::{ByName, Lists, Nothing};
    match path {
        "/api/pages/procedure" | "/api/looks/start" | "/api/looks/health" => ByName("slug=SLUG"),
        "/api/pages/run" | "/api/looks/run" => ByName("run=RUN"),
        "/api/pages/approval" | "/api/approvals/cancel" => ByName("run=RUN&request=1"),
        "/api/pages/redaction" => ByName("run=RUN&number=1"),
        "/api/approvals/ask" | "/api/approvals/break-glass" => {
            ByName("run=RUN&request=2&wanted[s3.1]=on&reason=because")
        }
        "/api/approvals/decide" => ByName("run=RUN&request=1&decision=reject&reason=because"),
        "/api/approvals/review" => ByName("run=RUN&request=1&comment=because"),
        "/api/redactions/ask" => ByName("run=RUN&step=1&attempt=1&text=42&reason=because"),
        "/api/redactions/decide" => ByName("run=RUN&number=1&decision=reject&reason=because"),
        "/api/runs/start" => ByName("slug=SLUG&target=&key=another-SLUG"),
        "/api/runs/watch" => ByName(WATCH),
        "/api/runs/log" | "/api/runs/lines" | "/api/runs/stop" => ByName("run=RUN&step=1&attempt=1"),
        "/api/runs/replay" => ByName("run=RUN&step=1&attempt=1&from=0&speed=1"),
        "/api/runs/find" => ByName("run=RUN&step=1&attempt=1&wanted[text]=gold&around=1"),
        "/api/runs/text" => ByName("run=RUN&step=1&attempt=1&from=1&to=9"),
        "/api/runs/value" => ByName("run=RUN&name=word&value=x"),
        "/api/runs/run" => ByName("run=RUN&step=1&attempt=2&commands=1"),
        "/api/runs/skip-command" => ByName("run=RUN&step=2&command=1&reason=because"),
        "/api/runs/skip-step" => ByName("run=RUN&step=4&reason=because"),
        "/api/runs/complete" => ByName("run=RUN&step=4"),
        "/api/runs/tick" | "/api/runs/untick" => ByName("run=RUN&step=0&item=1"),
        "/api/runs/check" => ByName("run=RUN&step=0&item=0"),
        "/api/runs/overrule" => ByName("run=RUN&step=0&item=1&reason=because"),
        "/api/runs/note" => ByName("run=RUN&step=0&text=because"),
        "/api/runs/escalate" => ByName("run=RUN&number=1&contact=nobody&text=because"),
        "/api/runs/finish" => ByName("run=RUN&verdict=reached"),
        "/api/runs/take-over" | "/api/runs/take-lock" | "/api/runs/abort" => ByName("run=RUN&reason=because"),
        "/api/runs/directory" => ByName("run=RUN&path=/"),
        "/api/runs/add-step" => ByName("run=RUN&after=1&place=5&text=ls&reason=because"),
        "/api/runs/input" => ByName("run=RUN&step=1&attempt=1&command=1&number=1&line=x"),
        "/api/runs/keys" => ByName("run=RUN&step=1&attempt=1&command=1&number=1&typed[line]=x"),
        "/api/runs/end-watch" => ByName("run=RUN&step=1&attempt=1&command=1"),
        // One that is there is asked for by the tests of suggestions.
        "/api/suggestions/dismiss" => ByName("suggestion=RUN&reason=because"),
        "/api/pages/home"
        | "/api/pages/search"
        | "/api/pages/history"
        | "/api/pages/documents"
        | "/api/pages/alert"
        | "/api/pages/approvals"
        | "/api/pages/audit"
        | "/api/session"
        | "/api/pages/account" => Lists,
        path if path.starts_with("/api/account/") || path.starts_with("/api/people/") => Nothing,
        // The numbers of the stream of the inbox have a test of their own.
        "/api/approvals/watch"
        | "/api/welcome"
        | "/api/sign-in"
        | "/api/set-up"
        | "/api/sign-out"
        | "/api/pages/own-mail"
        | "/api/pages/people"
        | "/api/pages/deliveries"
        | "/api/audit/verify" => Nothing,
        other => panic!("say here how {other} meets what is limited"),
    }
}

/// Whether a role is enough for a server function.
pub fn is_for(path: &str, role: Role) -> bool {
    matches!(policy(path), Some(Policy::Verb(verb, _)) if allows(role, verb))
}

/// A form about run 1 or 2 and the limited procedure, or about such as are not there.
pub fn named(form: &str, run: &str) -> String {
    let slug = if run == "99" { "no-such-procedure" } else { "open-the-vault" };
    form.replace("RUN", run).replace("SLUG", slug)
}
