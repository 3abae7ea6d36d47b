//! The HTML around every page.

use leptos::config::LeptosOptions;
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::MetaTags;

use crate::App;
use crate::base::Base;

/// Runs before the first paint: the chosen theme, and the mark that scripts work, for what makes no sense without them.
const BEFORE_PAINT: &str = r#"
const root = document.documentElement;
root.dataset.scripts = "";
try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
} catch {}
"#;

/// The document that a page stands in.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let base = Base::here();
    let stylesheet = base.path(&format!("/{}/{}.css", options.site_pkg_dir, options.output_name));
    // Where the page's program learns it.
    let said = (!base.is_root()).then(|| base.as_str().to_owned());
    view! {
        <!DOCTYPE html>
        <html lang="en" data-base=said>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <meta name="referrer" content="same-origin" />
                <link rel="icon" href=base.path("/favicon.svg") type="image/svg+xml" />
                <link rel="stylesheet" href=stylesheet />
                <script nonce=use_nonce()>{BEFORE_PAINT}</script>
                <AutoReload options=options.clone() />
                <HydrationScripts options root=base.as_str().to_owned() />
                <MetaTags />
            </head>
            <body>
                <App />
                // After the app, because the browser's half begins at the first thing in the body.
                <svg
                    width="0"
                    height="0"
                    aria-hidden="true"
                    focusable="false"
                    class="sr"
                    inner_html=include_str!("shell/sprite.svg")
                ></svg>
            </body>
        </html>
    }
}
