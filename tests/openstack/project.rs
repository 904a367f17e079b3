//! A project of a test's own: nobody else is in it, so all that is found there is ours.

use super::{
    api::{Api, password},
    inventory::Inventory,
};
use serde_json::json;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

pub struct Project {
    pub name: String,
    pub id: String,
    pub admin: Api,
    user_id: String,
    /// As the project's own user, who signs in once.
    own: Mutex<Option<Arc<Api>>>,
}

impl Project {
    /// Whose servers never boot.
    pub fn new() -> Self {
        let project = Self::booting();
        project.empty_image();
        project
    }

    /// Whose servers boot, where the cloud's do.
    pub fn booting() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "t{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let admin = Api::sign_in("admin", "admin");
        let project = admin.post(
            "identity",
            "/projects",
            &json!({ "project": { "name": name, "domain_id": "default" } }),
        );
        let id = text(&project["project"]["id"]);
        let user = json!({ "user": { "name": name, "domain_id": "default", "password": password(), "default_project_id": id } });
        let user_id = text(&admin.post("identity", "/users", &user)["user"]["id"]);
        let roles = admin.list("identity", "/roles", "roles");
        for role in ["member", "reader", "load-balancer_member", "creator"] {
            let role = roles
                .iter()
                .find(|it| it["name"] == role)
                .expect("a role of the cloud");
            admin.put(
                "identity",
                &format!("/projects/{id}/users/{user_id}/roles/{}", text(&role["id"])),
                &json!({}),
            );
        }
        let project = Self {
            name,
            id,
            admin,
            user_id,
            own: Mutex::default(),
        };
        project.quota(
            &json!({ "instances": 200, "cores": 400, "ram": 800_000 }),
            &json!({ "volumes": 200, "gigabytes": 10_000 }),
        );
        project
    }

    /// The newest Debian 12 that this project sees, and nothing is in it: servers of it are up at once and never boot,
    /// even where the cloud's own image does.
    fn empty_image(&self) {
        let api = self.api();
        let image = json!({ "name": "debian-12-empty", "os_distro": "debian", "os_version": "12", "visibility": "private",
            "disk_format": "raw", "container_format": "bare" });
        let image = text(&api.post("image", "/images", &image)["id"]);
        api.upload("image", &format!("/images/{image}/file"), vec![0; 1 << 20]);
    }

    /// Sets quotas of Nova and Cinder; what is not named stays.
    pub fn quota(&self, compute: &serde_json::Value, volumes: &serde_json::Value) {
        let mut compute = compute.clone();
        compute["force"] = json!(true);
        for (service, quota) in [("compute", &compute), ("volumev3", volumes)] {
            if quota.as_object().is_some_and(|it| !it.is_empty()) {
                let path = format!("/os-quota-sets/{}", self.id);
                self.admin
                    .put(service, &path, &json!({ "quota_set": quota }));
            }
        }
    }

    /// From now on this project is told of no such service. Who looks into it here has signed in before, and finds all.
    pub fn without(&self, service: &str) {
        self.api();
        let services = self.admin.list("identity", "/services", "services");
        let is_it = |id: &serde_json::Value| {
            let found = services.iter().find(|it| it["id"] == *id);
            found.is_some_and(|it| it["type"] == service)
        };
        for endpoint in self.admin.list("identity", "/endpoints", "endpoints") {
            if !is_it(&endpoint["service_id"]) {
                let id = text(&endpoint["id"]);
                let path = format!("/OS-EP-FILTER/projects/{}/endpoints/{id}", self.id);
                self.admin.put("identity", &path, &json!({}));
            }
        }
    }

    /// Takes away the tokens that the project's user has signed in for, as their end would.
    pub fn revoke_tokens(&self) {
        *self.own.lock().expect("nobody has failed with it") = None;
        for enabled in [false, true] {
            let user = json!({ "user": { "enabled": enabled } });
            self.admin
                .patch("identity", &format!("/users/{}", self.user_id), &user);
        }
        // Keystone counts in seconds: what is given out within this one is revoked, too.
        std::thread::sleep(std::time::Duration::from_millis(1100));
    }

    /// As the project's own user sees it.
    pub fn api(&self) -> Arc<Api> {
        let mut own = self.own.lock().expect("nobody has failed with it");
        own.get_or_insert_with(|| Arc::new(Api::sign_in(&self.name, &self.name)))
            .clone()
    }

    pub fn clouds_yaml(&self) -> String {
        self.clouds_yaml_at("127.0.0.1")
    }

    /// With this host's name for Keystone: what machines are told, too.
    pub fn clouds_yaml_at(&self, host: &str) -> String {
        format!(
            "clouds:\n  library:\n    auth:\n      auth_url: http://{host}:5000/v3\n      username: {name}\n      password: {password}\n      \
             project_name: {name}\n      user_domain_name: Default\n      project_domain_name: Default\n    region_name: RegionOne\n",
            name = self.name,
            password = password(),
        )
    }

    /// Everything in the project, by its own APIs.
    pub fn inventory(&self) -> Inventory {
        Inventory::take(&self.api(), &self.id, &self.user_id)
    }

    /// What a deletion leaves for a moment (a balancer's ports, a volume on its way) is waited for, two minutes.
    pub fn is_as(&self, before: &Inventory) {
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            let now = self.inventory();
            let left = now.beyond(before);
            if left.is_empty() && before.beyond(&now).is_empty() {
                return;
            }
            if Instant::now() > deadline {
                panic!(
                    "the project is not as it was before:\n{}\ngone: {:?}",
                    left.join("\n"),
                    before.beyond(&now)
                );
            }
            std::thread::sleep(Duration::from_millis(500));
        }
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Left as it is, for whoever looks into the failure.
            return;
        }
        for image in self
            .admin
            .list("image", &format!("/images?owner={}", self.id), "images")
        {
            let path = format!("/images/{}", text(&image["id"]));
            let _ = self.admin.call("DELETE", "image", &path, None);
        }
        for group in self.admin.list(
            "network",
            &format!("/security-groups?project_id={}", self.id),
            "security_groups",
        ) {
            let _ = self.admin.call(
                "DELETE",
                "network",
                &format!("/security-groups/{}", text(&group["id"])),
                None,
            );
        }
        let _ = self.admin.call(
            "DELETE",
            "identity",
            &format!("/users/{}", self.user_id),
            None,
        );
        let _ = self.admin.call(
            "DELETE",
            "identity",
            &format!("/projects/{}", self.id),
            None,
        );
    }
}

pub fn text(value: &serde_json::Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
