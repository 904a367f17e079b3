//! An instance: flavors, its names in the zone, HTTPS.

use super::{super::api::Service, Check};
use crate::engine::{Kind, Result};
use crate::site::{Id, Instance, Role, Site, Thing, version};

impl Check<'_> {
    pub(super) async fn instance(&mut self, instance: &mut Instance, site: &Site) -> Result<()> {
        let before = match self.before {
            Some(Thing::Instance(it)) => Some(it.clone()),
            _ => None,
        };
        let before = before.as_ref();
        if instance.version.is_empty() {
            instance.version =
                before.map_or_else(|| version::APPLICATION.to_owned(), |it| it.version.clone());
        }
        self.machine(
            &mut instance.web.machine,
            before.map(|it| &it.web.machine),
            Role::Web,
            "web",
        )
        .await?;
        self.machine(
            &mut instance.worker.machine,
            before.map(|it| &it.worker.machine),
            Role::Worker,
            "worker",
        )
        .await?;
        if instance.certificate.is_some() && !self.cloud.offers.keys {
            self.lacks(Service::Keys, "certificate_id", "Octavia reads certificates from Barbican. Without it only plain HTTP works: `insecure_http = true`.");
        }
        if before.is_none_or(|it| {
            it.hostname != instance.hostname
                || it.additional_hostnames != instance.additional_hostnames
        }) {
            self.hostnames(instance, site).await?;
        }
        Ok(())
    }

    /// A host name outside of the zone gets no record; one that has a record already is somebody else's.
    async fn hostnames(&mut self, instance: &Instance, site: &Site) -> Result<()> {
        let Some(zone) = site.environment().and_then(|it| it.dns.zone.clone()) else {
            return Ok(());
        };
        let inside = |hostname: &str| {
            let name = format!("{}.", hostname.trim_end_matches('.'));
            (name == zone || name.ends_with(&format!(".{zone}"))).then_some(name)
        };
        let Some(name) = inside(&instance.hostname) else {
            let detail = format!(
                "The environment's zone is `{zone}`: a host name in it gets its DNS record made. Choose one, or leave `dns` out of the environment."
            );
            self.refuse(
                "hostname",
                format!("`{}` lies outside of the zone `{zone}`", instance.hostname),
                detail,
            );
            return Ok(());
        };
        let mut names = vec![("hostname".to_owned(), name)];
        for (index, other) in instance.additional_hostnames.iter().enumerate() {
            match inside(other) {
                Some(name) => names.push((format!("additional_hostnames.{index}"), name)),
                None => self.warn(
                    &format!("additional_hostnames.{index}"),
                    format!("`{other}` gets no DNS record"),
                    format!("It lies outside of the zone `{zone}`: have it lead to `public_address` yourself."),
                ),
            }
        }
        self.records(instance, &zone, &names).await
    }

    async fn records(
        &mut self,
        instance: &Instance,
        zone: &str,
        names: &[(String, String)],
    ) -> Result<()> {
        let zones = self.cloud.zones(self.cloud.epoch()).await?;
        let Some(zone) = zones.iter().find(|it| it.name == *zone) else {
            return Ok(());
        };
        let records = match self.cloud.recordsets(&zone.id, self.cloud.epoch()).await {
            Err(error) if error.kind == Kind::Gone => return Ok(()),
            records => records?,
        };
        let id: Id = instance.id();
        for (at, name) in names {
            let ours = |text: Option<&str>| {
                text.is_some_and(|text| super::super::mark::Mark::step_of(text, &id).is_some())
            };
            let taken = records.iter().find(|it| {
                it.name == *name
                    && matches!(it.kind.as_str(), "A" | "AAAA" | "CNAME")
                    && !ours(it.description.as_deref())
            });
            if let Some(taken) = taken {
                self.refuse(
                    at,
                    format!("`{name}` has a {} record already", taken.kind),
                    format!(
                        "It leads to {} and is not ours. Remove it, or choose another host name.",
                        taken.records.join(", ")
                    ),
                );
            }
        }
        Ok(())
    }
}
