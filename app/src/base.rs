//! Below which path of its host the portal is, and the one way from a path inside the portal to one that a browser can follow.
//!
//! Everywhere else a path is written as if the portal had its host for itself: `/runs/7`. [`portal_path`] makes of it what stands in
//! a page, a redirect or a request: `/runbooks/runs/7`, where that is the base.
//!
//! On the server the base comes with the context of each request: portals with different ones can live in one process. A browser
//! shows one portal. It reads the base once, from the page that was loaded, and keeps it for the tasks and handlers that have no
//! context.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use leptos::prelude::*;
use leptos::wasm_bindgen::JsValue;
use leptos_router::NavigateOptions;
use server_fn::client::try_set_server_url;

/// The base of the page that this browser has loaded. On the server it is never set.
static OF_THE_PAGE: OnceLock<Base> = OnceLock::new();

/// Where a page says its base: on its first element.
const ATTRIBUTE: &str = "data-base";

/// The path of its host below which the portal is, without a slash at its end; empty where it has the host for itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Base(Arc<str>);

impl Base {
    /// A base as the configuration has judged it: empty, or as `/runbooks`.
    pub fn new(path: &str) -> Self {
        Self(path.into())
    }

    /// The base of this request, or of the page that the browser has loaded.
    pub fn here() -> Self {
        OF_THE_PAGE.get().cloned().or_else(use_context::<Self>).unwrap_or_default()
    }

    /// As it is written before a path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the portal has its host for itself.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// What a browser is told of a path inside the portal.
    pub fn path(&self, inside: &str) -> String {
        format!("{}{inside}", self.0)
    }

    /// The path inside the portal, with its query, when it begins with the base.
    pub fn inside<'a>(&self, path: &'a str) -> Option<Cow<'a, str>> {
        let rest = path.strip_prefix(self.as_str())?;
        match rest.as_bytes().first() {
            Some(b'/') => Some(Cow::Borrowed(rest)),
            None | Some(b'?' | b'#') => Some(Cow::Owned(format!("/{rest}"))),
            // Another application, whose name only begins alike.
            Some(_) => None,
        }
    }
}

/// What a browser is told of a path inside the portal: in links, forms and redirects.
pub fn portal_path(inside: impl AsRef<str>) -> String {
    Base::here().path(inside.as_ref())
}

/// The path inside the portal of what the router calls the present path.
pub fn path_inside(path: &str) -> String {
    Base::here().inside(path).map_or_else(|| path.to_owned(), Cow::into_owned)
}

/// How to go to what [`portal_path`] gave: the router would write its base before it once more.
pub fn as_it_stands() -> NavigateOptions {
    NavigateOptions { resolve: false, ..NavigateOptions::default() }
}

/// Whether a browser would leave the base by a path that begins with it: it resolves `..`, however that is spelled.
pub fn climbs(path: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    path.split('/').any(|name| name.to_ascii_lowercase().replace("%2e", ".") == "..")
}

/// The path if it leads to a page of this portal, else the start page.
pub fn inside(path: &str) -> &str {
    let rooted = path.starts_with('/') && !path[1..].starts_with(['/', '\\']);
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let loops = ["/api/", "/sign-in", "/set-up"].iter().any(|prefix| path.starts_with(prefix));
    if rooted && plain && !loops && !climbs(path) { path } else { "/" }
}

/// A path as a value in a query: every byte but plain ones is encoded.
pub fn in_query(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        if plain(byte) {
            text.push(char::from(byte));
        } else {
            text.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    text
}

fn digit(half: u8) -> char {
    char::from_digit(u32::from(half), 16).unwrap_or('0').to_ascii_uppercase()
}

/// Takes the base over from the page, before anything of it comes to life. In the browser only.
pub fn take_from_page() {
    let root = document().document_element();
    let said = root.and_then(|root| root.get_attribute(ATTRIBUTE)).unwrap_or_default();
    let base = OF_THE_PAGE.get_or_init(|| Base::new(&said));
    // A page comes to life once: nobody has set it before.
    let _ = try_set_server_url(base.as_str());
    // An address bar that cannot be changed is no reason to stay without the page's program.
    drop(bring_below(base));
}

/// Writes the address into the address bar that this page has below the base, where another one led to it: the base without a
/// slash, or a way past the proxy. The router knows pages by what stands there.
fn bring_below(base: &Base) -> Result<(), JsValue> {
    let location = window().location();
    let path = location.pathname()?;
    let below = base.path(&base.inside(&path).unwrap_or(Cow::Borrowed(&path)));
    if below == path {
        return Ok(());
    }
    let address = format!("{below}{}{}", location.search()?, location.hash()?);
    let history = window().history()?;
    history.replace_state_with_url(&history.state()?, "", Some(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_inside_the_portal_and_one_of_a_browser_lead_to_each_other() {
        let base = Base::new("/a/runbooks");

        for inside in ["/", "/runs/7?step=2#output", "/?x=1", "/a/runbooks/x"] {
            assert_eq!(base.inside(&base.path(inside)).as_deref(), Some(inside));
        }
        assert_eq!(base.inside("/a/runbooks").as_deref(), Some("/"));
        assert_eq!(base.inside("/a/runbooks?x=1").as_deref(), Some("/?x=1"));
    }

    #[test]
    fn what_is_beside_the_base_is_not_inside() {
        let base = Base::new("/runbooks");

        for path in ["/", "/runs/7", "/runbooks2", "/runbooks-old/runs/7", "/x/runbooks", "runbooks/", ""] {
            assert_eq!(base.inside(path), None, "{path}");
        }
    }

    #[test]
    fn without_a_base_a_path_stays_as_it_is() {
        let root = Base::default();

        assert_eq!(root.path("/runs/7"), "/runs/7");
        assert_eq!(root.inside("/runs/7").as_deref(), Some("/runs/7"));
        assert!(root.is_root());
        assert_eq!(portal_path("/runs/7"), "/runs/7");
    }

    #[test]
    fn each_request_has_the_base_of_its_own_portal() {
        let below = |base: &str| {
            Owner::new_root(None).with(|| {
                provide_context(Base::new(base));
                (portal_path("/runs/7"), path_inside("/a/history"))
            })
        };

        assert_eq!(below("/a"), ("/a/runs/7".to_owned(), "/history".to_owned()));
        assert_eq!(below("/b"), ("/b/runs/7".to_owned(), "/a/history".to_owned()));
    }

    #[test]
    fn a_path_that_climbs_is_known_in_every_spelling() {
        for path in ["/..", "/x/../y", "/%2e%2E/x", "/.%2e?y", "/x/..#y"] {
            assert!(climbs(path), "{path}");
        }
        for path in ["/", "/x..y/z", "/.../x", "/history?words=../x", "/runs/7#../x"] {
            assert!(!climbs(path), "{path}");
        }
    }
}
