//! A service: flavor, volume type, where files are kept.

use super::{super::api::Service as Api, Check};
use crate::engine::{Moment, Result};
use crate::site::{Backend, Role, Service, ServiceKind, Thing, version};

impl Check<'_> {
    pub(super) async fn service(&mut self, service: &mut Service) -> Result<()> {
        let before = match self.before {
            Some(Thing::Service(it)) => Some(it.clone()),
            _ => None,
        };
        let before = before.as_ref();
        if service.external.is_some() {
            return Ok(());
        }
        self.backend(service, before);
        if service.version.is_none() {
            service.version = before
                .and_then(|it| it.version.clone())
                .or_else(|| version::newest(service.kind, service.backend).map(str::to_owned));
        }
        if service.machines() == 0 {
            // What has no machines has no version, size or disk of ours.
            service.version = None;
            service.machine = Default::default();
            service.disk_gib = 0;
            return Ok(());
        }
        self.machine(
            &mut service.machine,
            before.map(|it| &it.machine),
            Role::from(service.kind),
            "",
        )
        .await?;
        self.disk_type(service, before).await?;
        Ok(())
    }

    fn backend(&mut self, service: &mut Service, before: Option<&Service>) {
        if service.kind != ServiceKind::Storage {
            return;
        }
        let offers = &self.cloud.offers;
        let (objects, ec2) = (offers.objects, offers.ec2);
        match service.backend {
            None => {
                let usual = if objects && ec2 { Backend::Object } else { Backend::File };
                service.backend = before.and_then(|it| it.backend).or(Some(usual));
            }
            Some(Backend::Object) if !objects => self.lacks(Api::Objects, "backend", "Use `backend = \"file\"`."),
            Some(Backend::Object) if !ec2 && before.is_none() => self.refuse(
                "backend",
                "This login may make no S3 keys",
                "Keystone gives them only to logins by user and password, not to application credentials. Use such a login, or `backend = \"file\"`.",
            ),
            Some(_) => {}
        }
    }

    async fn disk_type(&mut self, service: &Service, before: Option<&Service>) -> Result<()> {
        if let Some(before) = before.filter(|before| before.disk_type != service.disk_type) {
            let was = before.disk_type.as_deref().unwrap_or("the default");
            self.refuse("disk_type", "A volume cannot change its type here", format!("The volumes were made of type {was}. Make a second service of the new type and move the data."));
            return Ok(());
        }
        let (Some(wanted), None) = (&service.disk_type, before) else {
            return Ok(());
        };
        let types = self.cloud.volume_types(Moment::START).await?;
        if !types
            .iter()
            .any(|it| it.name == *wanted || it.id == *wanted)
        {
            let names = types
                .iter()
                .map(|it| it.name.as_str())
                .collect::<Vec<_>>()
                .join(", ");
            self.refuse(
                "disk_type",
                format!("There is no volume type `{wanted}`"),
                format!("Cinder has: {names}"),
            );
        }
        Ok(())
    }
}
