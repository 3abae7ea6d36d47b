//! Whose something has to be: each role asks every address for something of its own, for something of somebody else's, and for
//! something that is limited to others. What comes back is what the table of policies says.

use app::api::Policy;
use axum::body::{Body, to_bytes};
use domain::policy::{Answer, Object, Role, Verb, Whose, allows};
use http::{Request, StatusCode, header};
use server::http::routes;
use tower::ServiceExt as _;

use super::inventory;
use crate::account::{done, password, post, view, with_authenticator};
use crate::alerts::fires;
use crate::limited::scene::{Meets, meets};
use crate::site::{Served, call, page};
use crate::tokens::made;

/// The same procedure twice, once for everybody and once for a group in which nobody is.
const DOCUMENT: &str = "# Operations

## Tidy the shop

### Steps

1. **Look**

   ```bash
   echo gold-42
   ```

2. **Empty the cupboard**

   ```bash
   rm -r /no/such/cupboard
   ```

3. **Empty the chest**

   ```bash
   rm -r /no/such/chest
   ```

## Tidy the vault

### Steps

1. **Look**

   ```bash
   echo gold-42
   ```

2. **Empty the safe**

   ```bash
   rm -r /no/such/safe
   ```
";

const SIDE: &str = "[procedure.\"Tidy the shop\"]
alerts = [\"ShopShut\"]

[procedure.\"Tidy the vault\"]
visible_to = [\"keepers\"]
alerts = [\"VaultDark\"]
";

/// More bytes than any text of a person may have.
const TOO_LONG: usize = 20_000;

/// More than an answer that refuses something has.
const ANSWER: usize = 1 << 16;

/// Somebody with what is theirs: a run with a request, a broken glass and a redaction, and the parts of an account.
struct Person {
    role: Role,
    cookie: String,
    run: String,
    /// A session that is not the one of the cookie.
    session: String,
    token: String,
    passkey: String,
    /// Second factors that were not used yet.
    codes: Vec<String>,
}

struct Scene {
    site: Served,
    /// One of each role.
    people: Vec<Person>,
    other: Person,
    /// A run that nobody sees but administrators.
    hidden: String,
}

impl Scene {
    /// Everybody makes what is theirs as an administrator, and has their own role afterwards.
    async fn open() -> Self {
        let site = Served::with_side_file("operations.md", DOCUMENT, SIDE).await;
        let ada = site.administrator().await;
        let hidden = begun(&site, "tidy-the-vault", "ada", &ada).await;
        for alert in ["ShopShut", "VaultDark"] {
            fires(&site, alert, "", &ada).await;
        }
        let mut people = Vec::new();
        for (login, role) in [
            ("vera", Role::Viewer),
            ("otto", Role::Operator),
            ("lars", Role::Lead),
            ("anna", Role::Administrator),
            ("olga", Role::Operator),
        ] {
            let cookie = site.person(login, login, "administrator", &ada).await;
            people.push(person(&site, login, role, cookie).await);
            let id = site.portal.store().person_by_login(login).await.unwrap().unwrap().id;
            done(&site, "/api/people/role", &format!("person={id}&role={role}"), &ada).await;
        }
        let other = people.pop().unwrap();
        Self { site, people, other, hidden }
    }

    /// How somebody asks an address for something; `None` where it has nothing of that kind.
    fn request(&self, path: &str, asks: &Person, object: Object) -> Option<Request<Body>> {
        let of = match object {
            Object::Own => Some(asks),
            Object::Others => Some(&self.other),
            Object::Unseen => None,
        };
        let slug = match object {
            Object::Own => None,
            Object::Others => Some("tidy-the-shop"),
            Object::Unseen => Some("tidy-the-vault"),
        };
        // Each proof counts once.
        let code = if object == Object::Own { &asks.codes[1] } else { &asks.codes[2] };
        let names = [
            ("RUN", Some(of.map_or(&*self.hidden, |person| &*person.run))),
            ("SLUG", slug),
            ("SESSION", of.map(|person| &*person.session)),
            ("TOKEN", of.map(|person| &*person.token)),
            ("PASSKEY", of.map(|person| &*person.passkey)),
            ("CODE", Some(code.as_str())),
            (
                "SUGGESTION",
                if object == Object::Others { Some("1") } else { (object == Object::Unseen).then_some("2") },
            ),
        ];
        let mut text = if routes::is_call(path) { form(path) } else { address(path) };
        for (name, value) in names {
            if text.contains(name) {
                text = text.replace(name, value?);
            }
        }
        let (request, body) =
            if routes::is_call(path) { (call(path), Body::from(text)) } else { (page(&text), Body::empty()) };
        Some(request.header(header::COOKIE, &asks.cookie).body(body).unwrap())
    }

    /// What somebody is told. What an answer of success says is not read: a stream does not end.
    async fn told(&self, request: Request<Body>, whose: Whose) -> Told {
        let answer = self.site.router.clone().oneshot(request).await.unwrap();
        let status = answer.status();
        if status.is_success() {
            return Told::Answer(Answer::Let);
        }
        let body = to_bytes(answer.into_body(), ANSWER).await.unwrap();
        let body = String::from_utf8_lossy(&body);
        match status {
            StatusCode::NOT_FOUND => Told::Answer(Answer::NotThere),
            _ if refusal(whose).is_some_and(|words| body.contains(words)) => Told::Answer(Answer::Refused),
            StatusCode::FORBIDDEN if body.contains("takes the role") => Told::Role,
            // Theirs, and nevertheless not done: the form says nothing that could be done, or another rule is against it.
            StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY | StatusCode::FORBIDDEN
                if NOT_BECAUSE_OF_WHOSE.iter().any(|words| body.contains(*words)) =>
            {
                Told::Answer(Answer::Let)
            }
            _ => panic!("{status}: {body}"),
        }
    }
}

/// What somebody was told.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    /// Their role is too low.
    Role,
    /// It is not: this is because of whose it is.
    Answer(Answer),
}

/// Makes what somebody has.
async fn person(site: &Served, login: &str, role: Role, cookie: String) -> Person {
    made(site, "name=nightly&role=viewer&days=1", &cookie).await;
    site.sign_in(login).await;
    let account = view(site, &cookie).await;
    let session = account.sessions.iter().find(|session| !session.this).unwrap().id.clone();
    let token = account.tokens[0].id.to_string();
    let (_, codes) = with_authenticator(site, &cookie).await;
    let run = begun(site, "tidy-the-shop", login, &cookie).await;
    let glass = format!("run={run}&request=2&wanted[s3.1]=on&reason=because&code={}", codes[0]);
    done(site, "/api/approvals/break-glass", &glass, &cookie).await;
    let passkey = with_passkey(site, login).await;
    Person { role, cookie, run, session, token, passkey, codes }
}

/// A run of a procedure with an output, a request that waits and a redaction that waits.
async fn begun(site: &Served, slug: &str, login: &str, cookie: &str) -> String {
    let started = post(site, "/api/runs/start", &format!("slug={slug}&target=&key={slug}-{login}"), cookie).await;
    assert_eq!(started.status, StatusCode::OK, "{}", started.body);
    let run = started.body.trim().to_owned();
    done(site, "/api/runs/run", &format!("run={run}&step=1&attempt=1&commands=1"), cookie).await;
    site.settled(run.parse().unwrap()).await;
    let ask = format!("run={run}&request=1&wanted[s2.1]=on&reason=because");
    done(site, "/api/approvals/ask", &ask, cookie).await;
    let cover = format!("run={run}&step=1&attempt=1&text=gold-42&reason=because");
    done(site, "/api/redactions/ask", &cover, cookie).await;
    run
}

/// Gives somebody a passkey, as no browser is here to make one.
async fn with_passkey(site: &Served, login: &str) -> String {
    let id = format!("key-of-{login}");
    let passkey = store::StoredPasskey {
        id: id.clone(),
        name: "laptop".to_owned(),
        credential: "{}".to_owned(),
        since: site.portal.now(),
        used: None,
    };
    let person = site.portal.store().person_by_login(login).await.unwrap().unwrap().id;
    let mut write = site.portal.store().begin().await.unwrap();
    write.insert_passkey(&person, &passkey).await.unwrap();
    write.commit().await.unwrap();
    id
}

/// A form that gets as far as to the question whose something is, and does nothing behind it, so that everybody finds everything as
/// it was.
fn form(path: &str) -> String {
    let text = match path {
        "/api/account/sessions/end" => "session=SESSION",
        "/api/account/tokens/end" => "token=TOKEN",
        "/api/account/passkeys/remove" => return format!("id=PASSKEY&password={}&code=CODE", password()),
        "/api/approvals/cancel" => return format!("run=RUN&request=1&reason={}", "x".repeat(TOO_LONG)),
        "/api/approvals/decide" => "run=RUN&request=1&decision=approve",
        "/api/approvals/review" => "run=RUN&request=2&comment=",
        "/api/redactions/decide" => "run=RUN&number=1&decision=confirm",
        "/api/runs/run" => "run=RUN&step=9&attempt=1&commands=1",
        "/api/runs/skip-command" => "run=RUN&step=9&command=1&reason=because",
        "/api/runs/directory" => "run=RUN&path=elsewhere",
        "/api/suggestions/dismiss" => "suggestion=SUGGESTION&reason=",
        "/api/runs/note" => "run=RUN&step=0&text=",
        "/api/runs/finish" => "run=RUN&verdict=not_reached",
        "/api/runs/take-over" | "/api/runs/abort" => "run=RUN&reason=",
        _ => match meets(path) {
            Meets::ByName(form) => form,
            Meets::Lists | Meets::Nothing => panic!("say here for what {path} is asked"),
        },
    };
    text.to_owned()
}

/// The address of a page or a resource.
fn address(path: &str) -> String {
    let path = path.replace("/approvals/{id}", "/approvals/RUN-1").replace("{slug}", "SLUG");
    path.replace("{id}", "RUN").replace("{run}", "RUN").replace("{step}", "1").replace("{attempt}", "1")
}

/// What is said to who is let and asks for what cannot be done. Any other sentence could be a refusal because of whose it is.
const NOT_BECAUSE_OF_WHOSE: [&str; 12] = [
    "This run has no ",
    "This is done already",
    "Say why",
    "is the most. Nothing was changed",
    "say the whole path",
    "does not run any more",
    "No other run holds the target",
    "The lock was not taken",
    "This takes your second factor",
    "may not start this without an approval",
    "was not reviewed yet",
    "nobody has confirmed or rejected that yet",
];

/// What is said when it is somebody else's, or one's own.
fn refusal(whose: Whose) -> Option<&'static str> {
    match whose {
        Whose::Anybodys | Whose::Account | Whose::Own | Whose::Listed | Whose::Seen => None,
        Whose::Held => Some("works in this run since"),
        Whose::HeldOr(_) => Some("to overrule the person who works in a run takes the role"),
        Whose::AskedOr(_) => Some("to decide a request for approval takes the role"),
        Whose::HeldByAnother => Some("This is done already"),
        Whose::ShapedByOthers => Some("so another lead has to decide"),
        Whose::AskedByAnother => Some("yourself, so another"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_portal_answers_each_role_about_its_own_and_about_others_as_the_document_says() {
    let scene = Scene::open().await;
    let mut asked = 0;

    for (path, policy) in inventory() {
        let Policy::Verb(verb, whose) = policy else { continue };
        if matches!(whose, Whose::Anybodys | Whose::Account | Whose::Listed) {
            continue;
        }
        for person in &scene.people {
            for object in Object::ALL {
                // From an administrator nothing is hidden.
                if object == Object::Unseen && allows(person.role, Verb::ManagePeople) {
                    continue;
                }
                let Some(request) = scene.request(path, person, object) else { continue };
                let expected = if allows(person.role, verb) {
                    Told::Answer(whose.answer(person.role, object))
                } else {
                    Told::Role
                };
                assert_eq!(scene.told(request, whose).await, expected, "{path} for a {}: {object:?}", person.role);
                asked += 1;
            }
        }
    }

    assert!(asked > 400, "{asked}");
}
