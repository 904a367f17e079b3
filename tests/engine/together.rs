//! Several at once on one file: each as a process of its own would be, with its own connection.

use super::{cast, world::run};
use invenioils::{
    engine::{Journal, Run},
    platform::{
        Hosted, Platform,
        simulator::{self, Settings, Simulator},
    },
    site::{Site, Thing},
};
use std::{path::Path, time::Duration};

async fn process(path: &Path) -> Hosted<Simulator> {
    let settings = Settings {
        path: path.to_owned(),
        ..Settings::default()
    };
    Hosted::new(simulator::open(settings).await.expect("a simulator"))
}

fn environment(number: usize) -> Site {
    let mut environment = cast::environment();
    environment.name = cast::name(&format!("library-{number}"));
    cast::site(Thing::Environment(environment), &[])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_environments_are_made_at_once_in_one_project() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cloud.sqlite");
    let made = (0..20).map(|number| {
        let path = path.clone();
        tokio::spawn(async move {
            let (provider, journal, site) =
                (process(&path).await, Journal::new(), environment(number));
            let outcome = provider.converge(&site, &journal, &run()).await;
            assert!(outcome.complete, "{number}: {:?}", outcome.errors);
            journal
        })
    });
    let journals = futures::future::join_all(made).await;
    let provider = process(&path).await;
    let all = provider.host().inventory().await.expect("an inventory");
    assert_eq!(all.len() % 20, 0);
    let addresses: std::collections::BTreeSet<_> = all
        .iter()
        .filter(|it| it.kind == "address")
        .map(|it| it.address.clone())
        .collect();
    assert_eq!(addresses.len(), 20, "every one has an address of its own");
    assert_eq!(provider.records().await.expect("records").len(), 20);

    let removed = journals.into_iter().enumerate().map(|(number, journal)| {
        let path = path.clone();
        tokio::spawn(async move {
            let outcome = process(&path)
                .await
                .remove(&environment(number), &journal.expect("a journal"), &run())
                .await;
            assert!(outcome.complete, "{number}: {:?}", outcome.errors);
        })
    });
    for removed in futures::future::join_all(removed).await {
        removed.expect("removed");
    }
    assert_eq!(provider.host().inventory().await.expect("an inventory"), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_beside_an_apply_disturbs_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cloud.sqlite");
    let settings = Settings {
        path: path.clone(),
        latency: Duration::from_millis(200),
        ..Settings::default()
    };
    let applying = Hosted::new(simulator::open(settings).await.expect("a simulator"));
    let (site, journal) = (environment(0), Journal::new());
    let run_of_apply = run();
    let apply = applying.converge(&site, &journal, &run_of_apply);
    let looks = async {
        let planning = process(&path).await;
        let mut looks = 0;
        loop {
            let run = Run::lasting(Duration::from_secs(60));
            planning
                .inspect(&site, &Journal::new(), &run)
                .await
                .expect("an inspection");
            looks += 1;
            tokio::time::sleep(Duration::from_millis(10)).await;
            if planning.records().await.expect("records").len() == 1 {
                return looks;
            }
        }
    };
    let (outcome, looks) = tokio::join!(apply, looks);
    assert!(outcome.complete, "{:?}", outcome.errors);
    assert!(looks > 3, "{looks} looks");
}
