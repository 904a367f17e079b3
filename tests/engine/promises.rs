//! What holds when nothing goes wrong: made, unchanged, changed, removed.

use super::{cast, world::World};
use invenioils::{engine::Journal, platform::simulator::Verb};

#[tokio::test(start_paused = true)]
async fn every_thing_is_made_stays_as_it_is_changes_and_goes() {
    for (thing, changed) in cast::things() {
        let world = World::new();
        world.lay(&thing).await;
        let before = world.cloud.inventory().await.expect("an inventory");
        let journal = Journal::new();
        let outcome = world.converge(&thing, &journal).await;
        assert!(outcome.complete, "{}: {:?}", thing.id(), outcome.errors);
        tokio::time::sleep(super::world::LATENCY * 10).await;
        let inspection = world.inspect(&thing, &journal).await;
        assert!(inspection.clean(), "{}: {inspection:?}", thing.id());

        world.order(None);
        let outcome = world.converge(&thing, &journal).await;
        assert!(outcome.complete, "{}: {:?}", thing.id(), outcome.errors);
        assert_eq!(world.changes(), 0, "{}: {:?}", thing.id(), world.log());

        let outcome = world.converge(&changed, &journal).await;
        assert!(outcome.complete, "{}: {:?}", thing.id(), outcome.errors);
        assert!(world.changes() > 0, "{}", thing.id());
        let inspection = world.inspect(&changed, &journal).await;
        assert!(inspection.clean(), "{}: {inspection:?}", thing.id());

        let outcome = world.remove(&changed, &journal).await;
        assert!(outcome.complete, "{}: {:?}", thing.id(), outcome.errors);
        assert_eq!(
            world.cloud.inventory().await.expect("an inventory"),
            before,
            "{}",
            thing.id()
        );
        assert_eq!(world.log().last().map(|it| it.0), Some(Verb::Delete));
    }
}
