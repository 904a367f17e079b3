//! The services that we speak to: their types in a catalog, and how their base URLs are written. Makes no call.

/// One OpenStack service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    Identity,
    Compute,
    Network,
    Image,
    Volume,
    Balancer,
    Dns,
    Keys,
    Objects,
}

impl Service {
    /// What people call it.
    pub fn project(self) -> &'static str {
        match self {
            Self::Identity => "Keystone",
            Self::Compute => "Nova",
            Self::Network => "Neutron",
            Self::Image => "Glance",
            Self::Volume => "Cinder",
            Self::Balancer => "Octavia",
            Self::Dns => "Designate",
            Self::Keys => "Barbican",
            Self::Objects => "Swift",
        }
    }

    /// Its type in a catalog and the aliases in use, the official one first.
    pub fn types(self) -> &'static [&'static str] {
        match self {
            Self::Identity => &["identity"],
            Self::Compute => &["compute"],
            Self::Network => &["network"],
            Self::Image => &["image"],
            Self::Volume => &["block-storage", "volumev3", "block-store", "volume"],
            Self::Balancer => &["load-balancer"],
            Self::Dns => &["dns"],
            Self::Keys => &["key-manager"],
            Self::Objects => &["object-store"],
        }
    }

    /// The name that microversions go by in `OpenStack-API-Version`.
    pub fn microversion_name(self) -> &'static str {
        match self {
            Self::Volume => "volume",
            _ => self.types()[0],
        }
    }

    /// The base of all paths, from an endpoint that may or may not name a version.
    pub fn base(self, endpoint: &str, project_id: &str) -> String {
        let endpoint = endpoint.trim_end_matches('/');
        let (root, version, rest) = split_version(endpoint);
        match self {
            // The version stands before the account and belongs to it.
            Self::Objects => endpoint.to_owned(),
            Self::Identity => format!("{root}/v3"),
            Self::Network => format!("{root}/v2.0"),
            Self::Image => format!("{root}/v2"),
            Self::Balancer => format!("{root}/v2/lbaas"),
            Self::Dns => format!("{root}/v2"),
            Self::Keys => format!("{root}/v1"),
            Self::Compute => match (version, rest) {
                (Some(version), "") => format!("{root}/{version}"),
                (Some(version), rest) => format!("{root}/{version}/{rest}"),
                (None, _) => format!("{root}/v2.1"),
            },
            Self::Volume => match rest {
                "" => format!("{root}/v3/{project_id}"),
                rest => format!("{root}/v3/{rest}"),
            },
        }
    }
}

/// `https://host/compute/v2.1/abc` is root `https://host/compute`, version `v2.1`, rest `abc`.
fn split_version(endpoint: &str) -> (&str, Option<&str>, &str) {
    let mut at = 0;
    for segment in endpoint.split('/') {
        let is_version = segment.strip_prefix('v').is_some_and(|digits| {
            !digits.is_empty()
                && digits
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || byte == b'.')
        });
        let end = at + segment.len();
        if is_version {
            return (
                endpoint[..at].trim_end_matches('/'),
                Some(segment),
                endpoint[end..].trim_start_matches('/'),
            );
        }
        at = end + 1;
    }
    (endpoint, None, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versioned_and_bare_endpoints_give_the_same_base() {
        let base = |service: Service, endpoint| service.base(endpoint, "p1");
        assert_eq!(
            base(Service::Network, "https://c:9696"),
            "https://c:9696/v2.0"
        );
        assert_eq!(
            base(Service::Network, "https://c/networking/v2.0/"),
            "https://c/networking/v2.0"
        );
        assert_eq!(
            base(Service::Balancer, "https://c/load-balancer"),
            "https://c/load-balancer/v2/lbaas"
        );
        assert_eq!(
            base(Service::Balancer, "https://c:9876/v2.0"),
            "https://c:9876/v2/lbaas"
        );
        assert_eq!(
            base(Service::Compute, "https://c:8774/v2.1/p1"),
            "https://c:8774/v2.1/p1"
        );
        assert_eq!(
            base(Service::Compute, "https://c/compute"),
            "https://c/compute/v2.1"
        );
        assert_eq!(
            base(Service::Volume, "https://c:8776/v3/p1"),
            "https://c:8776/v3/p1"
        );
        assert_eq!(
            base(Service::Volume, "https://c:8776"),
            "https://c:8776/v3/p1"
        );
        assert_eq!(
            base(Service::Objects, "https://c/v1/AUTH_p1"),
            "https://c/v1/AUTH_p1"
        );
        assert_eq!(
            base(Service::Identity, "https://c/identity"),
            "https://c/identity/v3"
        );
    }
}
