//! A simulated cloud that goes wrong at a chosen call, and a provider that dies and comes back.

use super::cast;
use invenioils::{
    engine::{Inspection, Journal, Outcome, Run, Secret, Secrets},
    platform::{
        Hosted, Platform,
        simulator::{Call, Effect, Settings, Shown, Simulator, Verb},
    },
    site::{Site, Thing},
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::Notify;

/// Which call goes wrong, counted from 0 over those that change something.
#[derive(Debug, Clone, Copy)]
pub struct Strike {
    pub at: usize,
    pub effect: Effect,
}

#[derive(Default)]
pub struct Script {
    pub strike: Option<Strike>,
    pub changes: usize,
    /// Every change, in order: verb and step.
    pub log: Vec<(Verb, String)>,
    /// The step that was struck.
    pub struck: Option<String>,
}

pub struct World {
    pub cloud: Arc<Simulator>,
    pub script: Arc<Mutex<Script>>,
    /// Told when a call hangs: the process is to die now.
    pub death: Arc<Notify>,
}

pub const LATENCY: Duration = Duration::from_secs(4);

impl World {
    pub fn new() -> Self {
        Self::with(Settings {
            latency: LATENCY,
            ..Settings::default()
        })
    }
    pub fn with(settings: Settings) -> Self {
        let script = Arc::new(Mutex::new(Script::default()));
        let death = Arc::new(Notify::new());
        let trap = {
            let (script, death) = (script.clone(), death.clone());
            move |call: &Call<'_>| {
                if call.verb == Verb::Find {
                    return None;
                }
                let mut script = script.lock().expect("script");
                let number = script.changes;
                script.changes += 1;
                script.log.push((call.verb, call.step.to_owned()));
                let effect = script.strike.filter(|strike| strike.at == number)?.effect;
                script.struck = Some(call.step.to_owned());
                if matches!(effect, Effect::Hangs | Effect::HangsAfter) {
                    death.notify_one();
                }
                Some(effect)
            }
        };
        let cloud = Simulator::in_memory(settings)
            .expect("a simulator")
            .trapped(trap);
        Self {
            cloud: Arc::new(cloud),
            script,
            death,
        }
    }

    /// A provider process: it shares nothing with the one before but the cloud.
    pub fn provider(&self) -> Hosted<Simulator> {
        Hosted::new(self.cloud.clone())
    }
    pub fn order(&self, strike: Option<Strike>) {
        *self.script.lock().expect("script") = Script {
            strike,
            ..Script::default()
        };
    }
    pub fn changes(&self) -> usize {
        self.script.lock().expect("script").changes
    }
    pub fn log(&self) -> Vec<(Verb, String)> {
        self.script.lock().expect("script").log.clone()
    }

    pub async fn site(&self, thing: &Thing) -> Site {
        let records = self.provider().records().await.expect("records");
        cast::site(thing.clone(), &records)
    }
    pub async fn converge(&self, thing: &Thing, journal: &Journal) -> Outcome {
        let site = self.site(thing).await;
        self.provider().converge(&site, journal, &run()).await
    }
    pub async fn remove(&self, thing: &Thing, journal: &Journal) -> Outcome {
        let site = self.site(thing).await;
        self.provider().remove(&site, journal, &run()).await
    }
    pub async fn inspect(&self, thing: &Thing, journal: &Journal) -> Inspection {
        let site = self.site(thing).await;
        self.provider()
            .inspect(&site, journal, &run())
            .await
            .expect("an inspection")
    }

    /// Makes what stands below a thing.
    pub async fn lay(&self, thing: &Thing) {
        for below in cast::below(thing) {
            let outcome = self.converge(&below, &Journal::new()).await;
            assert!(outcome.complete, "{:?}", outcome.errors);
        }
        // The balancer comes up while nobody waits for it.
        tokio::time::sleep(LATENCY * 10).await;
    }

    /// What the cloud has of one thing.
    pub async fn of(&self, thing: &Thing) -> Vec<Shown> {
        let mark = format!("{}:{}", thing.id().sort.as_str(), thing.id());
        let mut all = self.cloud.inventory().await.expect("an inventory");
        all.retain(|it| it.thing == mark);
        all
    }
}

/// Twenty virtual minutes, and every secret that a plan may ask for.
pub fn run() -> Run {
    let mut secrets = Secrets::default();
    for path in [
        "private_key_pem",
        "imported.private_key_pem",
        "admin.password",
        "mail.password",
    ] {
        secrets.put(path, Secret::new("canary"));
    }
    Run::lasting(Duration::from_secs(1200)).with_secrets(secrets)
}
