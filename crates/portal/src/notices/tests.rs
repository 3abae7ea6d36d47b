use domain::notice::Occasion;
use domain::{Risk, RunId};

use super::*;
use crate::factors::tests::Desk;

const DAY_MS: i64 = 24 * 3_600_000;

fn notice() -> Notice {
    Notice {
        occasion: Occasion::Asked,
        run: RunId(12),
        request: 1,
        procedure: "Restore".to_owned(),
        steps: vec!["Replace".to_owned()],
        target: "production".to_owned(),
        risk: Risk::Destroys,
        by: "Olga".to_owned(),
        asked_by: "Olga".to_owned(),
        reason: "corrupt".to_owned(),
        until: None,
        missing: 1,
        changed: Vec::new(),
        changes: Vec::new(),
        values: std::collections::BTreeMap::new(),
        covering: None,
        escalated: None,
    }
}

/// Puts a notice into the outbox of a channel that is not there: nobody sends it.
async fn queue(portal: &Portal, key: &str) -> i64 {
    let channel = Channel::Webhook("gone".to_owned());
    let delivery =
        NewDelivery { key: key.to_owned(), channel, person: None, notice: notice(), made: portal.expiry_now() };
    let mut write = portal.store().begin().await.unwrap();
    write.deliver(&delivery).await.unwrap();
    write.commit().await.unwrap();
    portal.store().last_deliveries(1).await.unwrap()[0].id
}

async fn left(portal: &Portal) -> Vec<i64> {
    portal.drop_ended().await.unwrap();
    portal.store().last_deliveries(10).await.unwrap().into_iter().map(|row| row.id).collect()
}

#[tokio::test]
async fn a_notice_is_dropped_when_it_was_kept_for_as_long_as_is_configured_after_its_end() {
    let week = Keep(Duration::from_hours(7 * 24));
    for (keep, days) in [(week, 7), (Keep::default(), 30)] {
        let desk = Desk::with(Channels { keep, ..Channels::default() }).await;
        let (told, waits) = (queue(&desk.portal, "told").await, queue(&desk.portal, "waits").await);
        desk.clock.advance(3 * DAY_MS);
        desk.portal.note_outcome(told, &Outcome::Delivered).await.unwrap();

        desk.clock.advance(days * DAY_MS);
        assert_eq!(left(&desk.portal).await, [waits, told], "so long it is kept, from its end on");
        desk.clock.advance(1);

        assert_eq!(left(&desk.portal).await, [waits], "what waits is never dropped");
    }
}
