//! What became of the notices to people, for whoever looks after that.

use domain::view::{ChannelInfo, DeliveriesView, DeliveryRow, DeliveryState};
use leptos::prelude::*;

use crate::base::portal_path;
use crate::components::ago::Ago;

/// The ways by which people are told, and the last notices with what became of them.
#[component]
pub fn Deliveries(view: DeliveriesView) -> impl IntoView {
    let channels = view.channels.into_iter().map(channel).collect_view();
    let unreached = (!view.without_mail.is_empty()).then(
        || view! { <p class="soft">"No mail address: " {view.without_mail.join(", ")} ". No mail reaches them."</p> },
    );
    let list = if view.rows.is_empty() {
        view! {
            <p class="soft">
                "No notice yet. They are sent when an approval is asked for, and listed here; the configuration names mail and webhooks."
            </p>
        }
        .into_any()
    } else {
        view! { <List rows=view.rows /> }.into_any()
    };
    view! {
        <section aria-labelledby="deliveries">
            <h2 id="deliveries">"Telling people"</h2>
            <ul>{channels}</ul>
            {unreached}
            {list}
        </section>
    }
    .into_any()
}

fn channel(info: ChannelInfo) -> AnyView {
    let ChannelInfo { name, kind, problem } = info;
    let what = if name == kind { name } else { format!("{name}, {kind}") };
    match problem {
        None => view! { <li>{what}</li> }.into_any(),
        Some(problem) => view! { <li>{what} ": nobody can be told by it now, because " {problem} "."</li> }.into_any(),
    }
}

#[component]
fn List(rows: Vec<DeliveryRow>) -> impl IntoView {
    let rows = rows.into_iter().map(row).collect_view();
    view! {
        <table class="table" data-cards>
            <caption class="sr">"The last notices"</caption>
            <thead>
                <tr>
                    <th scope="col">"Notice"</th>
                    <th scope="col">"To"</th>
                    <th scope="col">"Made"</th>
                    <th scope="col">"State"</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

fn row(row: DeliveryRow) -> AnyView {
    let what = match row.about {
        Some((run, request)) => {
            view! { <a href=portal_path(format!("/approvals/{run}-{request}"))>{row.what}</a> }.into_any()
        }
        None => row.what.into_any(),
    };
    let to = if row.to.is_empty() { row.channel } else { format!("{}, by {}", row.to, row.channel) };
    let error = (!row.error.is_empty()).then(|| view! { <span class="sub">{row.error}</span> });
    let since = (row.state != DeliveryState::Waiting).then(|| view! { " " <Ago at=row.at /> });
    view! {
        <tr>
            <th scope="row">{what}</th>
            <td>{to}</td>
            <td class="soft">
                <Ago at=row.made />
            </td>
            <td>
                {row.state.word()} {since} <span class="sub">{tries(row.tries)}</span> {error}
            </td>
        </tr>
    }
    .into_any()
}

fn tries(tries: u32) -> String {
    match tries {
        0 => "not tried yet".to_owned(),
        1 => "after 1 try".to_owned(),
        _ => format!("after {tries} tries"),
    }
}
