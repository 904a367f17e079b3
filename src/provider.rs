//! The provider's own settings and THE list of what it offers.

use crate::plugin::{Attr, Schema, Type, Value, boolean, int, list, map, object, text};
use crate::resource::{Lifecycle, Setup, backup_policy, certificate, environment, instance, service};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// The provider `invenioils`.
#[derive(Default)]
pub struct InvenioIls {
    setup: Arc<Setup>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Model {
    openstack: Value<OpenStackModel>,
    simulator: Value<SimulatorModel>,
    owner: Value<String>,
    adopt: Value<Vec<Value<String>>>,
    default_tags: Value<BTreeMap<String, Value<String>>>,
    max_parallel_requests: Value<i64>,
    preflight: Value<bool>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct OpenStackModel {
    cloud: Value<String>,
    auth_url: Value<String>,
    region: Value<String>,
    application_credential_id: Value<String>,
    application_credential_secret: Value<String>,
    username: Value<String>,
    password: Value<String>,
    project_name: Value<String>,
    project_domain_name: Value<String>,
    user_domain_name: Value<String>,
    token: Value<String>,
    cacert_file: Value<String>,
    insecure: Value<bool>,
    endpoint_overrides: Value<BTreeMap<String, Value<String>>>,
    interface: Value<String>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct SimulatorModel {
    path: Value<String>,
    region: Value<String>,
    latency: Value<String>,
    quota: Value<BTreeMap<String, Value<i64>>>,
    faults: Value<Vec<Value<FaultModel>>>,
}

fn schema() -> Schema {
    Schema::new(0, "Brings up, changes, heals and removes whole InvenioILS installations. Exactly one platform attribute says where.")
        .attr("openstack", openstack())
        .attr("simulator", simulator())
        .attr("owner", text().optional().doc("Who owns the objects. Objects found by their mark are adopted if they are of the same owner, or were never finished. Default: `INVENIOILS_OWNER`, else `TFC_WORKSPACE_SLUG`, else empty."))
        .attr("adopt", list(Type::String).optional().doc("Names of environments to take over although they are finished and their state was lost. Default: `INVENIOILS_ADOPT`, separated by commas."))
        .attr("default_tags", map(Type::String).optional().doc("Tags on every object that can carry them."))
        .attr("max_parallel_requests", int().optional().check(crate::resource::positive).doc("Calls at a time towards the cloud. Default: 16."))
        .attr("preflight", boolean().optional().doc("Check names, sizes, images, networks and quotas online at plan. Default: true."))
}

fn openstack() -> Attr {
    object([
        ("cloud", text().optional().doc("Name of the cloud in `clouds.yaml`. Default: `OS_CLOUD`.")),
        ("auth_url", text().optional().doc("Address of Keystone. Default: `OS_AUTH_URL`.")),
        ("region", text().optional().doc("Region. Default: `OS_REGION_NAME`.")),
        ("application_credential_id", text().optional().doc("Application credential. Default: `OS_APPLICATION_CREDENTIAL_ID`.")),
        ("application_credential_secret", text().optional().sensitive().doc("Its secret. Default: `OS_APPLICATION_CREDENTIAL_SECRET`.")),
        ("username", text().optional().doc("User. Default: `OS_USERNAME`.")),
        ("password", text().optional().sensitive().doc("Password. Default: `OS_PASSWORD`.")),
        ("project_name", text().optional().doc("Project. Default: `OS_PROJECT_NAME`.")),
        ("project_domain_name", text().optional().doc("Domain of the project. Default: `OS_PROJECT_DOMAIN_NAME`.")),
        ("user_domain_name", text().optional().doc("Domain of the user. Default: `OS_USER_DOMAIN_NAME`.")),
        ("token", text().optional().sensitive().doc("A token instead of a password. Default: `OS_TOKEN`.")),
        ("cacert_file", text().optional().doc("Certificate authorities to trust, a PEM file. Default: `OS_CACERT`.")),
        ("insecure", boolean().optional().doc("Do not verify certificates. Default: `OS_INSECURE`, else false.")),
        ("endpoint_overrides", map(Type::String).optional().doc("Service type to address, instead of the catalog's.")),
        ("interface", text().optional().one_of(&["public", "internal", "admin"]).doc("Which of the catalog's addresses to use. Default: `OS_INTERFACE`, else `public`.")),
    ])
    .optional()
    .doc("OpenStack. `{}` takes everything from the `OS_` variables and `clouds.yaml`.")
}
