//! The way into OpenStack: its settings as users write them.

use super::Settings;
use crate::engine::Result;
use crate::platform::{Common, Given, Hosted, Offer, Platform, Setting, Shape};
use futures::{FutureExt, future::BoxFuture};
use std::sync::Arc;

pub const OFFER: Offer = Offer {
    name: "openstack",
    doc: "OpenStack. `{}` takes everything from `clouds.yaml` and the `OS_` variables.",
    settings: SETTINGS,
    connect,
};

const SETTINGS: &[Setting] = &[
    Setting::new(
        "cloud",
        Shape::Text,
        "Name of the cloud in `clouds.yaml`. Default: `OS_CLOUD`.",
    ),
    Setting::new(
        "auth_url",
        Shape::Text,
        "Address of Keystone. Default: `OS_AUTH_URL`.",
    ),
    Setting::new("region", Shape::Text, "Region. Default: `OS_REGION_NAME`."),
    Setting::new(
        "application_credential_id",
        Shape::Text,
        "Application credential. Default: `OS_APPLICATION_CREDENTIAL_ID`.",
    ),
    Setting::new(
        "application_credential_secret",
        Shape::Hidden,
        "Its secret. Default: `OS_APPLICATION_CREDENTIAL_SECRET`.",
    ),
    Setting::new("username", Shape::Text, "User. Default: `OS_USERNAME`."),
    Setting::new(
        "password",
        Shape::Hidden,
        "Password. Default: `OS_PASSWORD`.",
    ),
    Setting::new(
        "project_name",
        Shape::Text,
        "Project. Default: `OS_PROJECT_NAME`.",
    ),
    Setting::new(
        "project_domain_name",
        Shape::Text,
        "Domain of the project. Default: `OS_PROJECT_DOMAIN_NAME`.",
    ),
    Setting::new(
        "user_domain_name",
        Shape::Text,
        "Domain of the user. Default: `OS_USER_DOMAIN_NAME`.",
    ),
    Setting::new(
        "token",
        Shape::Hidden,
        "A token instead of a password. Default: `OS_TOKEN`.",
    ),
    Setting::new(
        "cacert_file",
        Shape::Text,
        "Certificate authorities to trust, a PEM file. Default: `OS_CACERT`.",
    ),
    Setting::new(
        "insecure",
        Shape::Bool,
        "Do not verify certificates. Default: `OS_INSECURE`, else false.",
    ),
    Setting::new(
        "endpoint_overrides",
        Shape::TextMap,
        "Service type to address, instead of the catalog's.",
    ),
    Setting::new(
        "interface",
        Shape::OneOf(&["public", "internal", "admin"]),
        "Which of the catalog's addresses to use. Default: `OS_INTERFACE`, else `public`.",
    ),
];

fn connect(given: Given, common: Common) -> BoxFuture<'static, Result<Arc<dyn Platform>>> {
    async move {
        let cloud = super::connect(
            settings(&given),
            super::Common {
                max_parallel_requests: common.max_parallel_requests,
            },
        )
        .await?;
        Ok(Arc::new(Hosted::new(cloud)) as Arc<dyn Platform>)
    }
    .boxed()
}

fn settings(given: &Given) -> Settings {
    Settings {
        cloud: given.text("cloud"),
        auth_url: given.text("auth_url"),
        region: given.text("region"),
        application_credential_id: given.text("application_credential_id"),
        application_credential_secret: given.secret("application_credential_secret"),
        username: given.text("username"),
        password: given.secret("password"),
        project_name: given.text("project_name"),
        project_domain_name: given.text("project_domain_name"),
        user_domain_name: given.text("user_domain_name"),
        token: given.secret("token"),
        cacert_file: given.text("cacert_file"),
        insecure: given.flag("insecure"),
        endpoint_overrides: given.texts("endpoint_overrides"),
        interface: given.text("interface"),
    }
}
