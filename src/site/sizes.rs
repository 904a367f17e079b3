//! How large a machine of each role is. Knows sizes in our words; the platform finds the flavor that holds them.

use super::{Backend, Role, ServiceKind, Size};

/// What a machine must offer. Memory in MiB, the root disk in GiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    pub vcpus: u32,
    pub ram_mib: u32,
    pub disk_gib: u32,
}

const fn needs(vcpus: u32, ram_mib: u32, disk_gib: u32) -> Needs {
    Needs {
        vcpus,
        ram_mib,
        disk_gib,
    }
}

/// What one node of a role needs. A size that every cloud offers; who needs more than `large` names a flavor. The numbers follow what a small site was measured to use: a web process takes 180 MB,
/// a worker process 160 MB and its master 180 MB, a search engine half of its machine's memory as heap.
pub fn needs_of(role: Role, size: Size) -> Needs {
    use Role::*;
    use Size::*;
    match (role, size) {
        (Balancer, Small) => needs(1, 1024, 8),
        (Balancer, Medium) => needs(2, 2048, 8),
        (Balancer, Large) => needs(4, 4096, 8),
        (Web | Worker, Small) => needs(1, 2048, 12),
        (Web | Worker, Medium) => needs(2, 4096, 12),
        (Web | Worker, Large) => needs(4, 8192, 12),
        (Database, Small) => needs(1, 2048, 10),
        (Database, Medium) => needs(2, 4096, 10),
        (Database, Large) => needs(4, 8192, 10),
        (Search, Small) => needs(1, 2048, 12),
        (Search, Medium) => needs(2, 4096, 12),
        (Search, Large) => needs(4, 8192, 12),
        (Cache, Small) => needs(1, 1024, 8),
        (Cache, Medium) => needs(1, 2048, 8),
        (Cache, Large) => needs(2, 4096, 8),
        (Queue, Small) => needs(1, 2048, 8),
        (Queue, Medium) => needs(2, 4096, 8),
        (Queue, Large) => needs(4, 8192, 8),
        (Storage, Small) => needs(1, 1024, 8),
        (Storage, Medium) => needs(2, 2048, 8),
        (Storage, Large) => needs(4, 4096, 8),
    }
}

/// The volume of one node where the user gave no `disk_gib`.
pub fn default_disk_gib(kind: ServiceKind, size: Size) -> u32 {
    use ServiceKind::*;
    let by_size = match kind {
        Database | Search => [20, 50, 200],
        Cache => [5, 10, 20],
        Queue => [10, 20, 50],
        Storage => [50, 200, 1000],
    };
    by_size[size as usize]
}

/// The smallest volume that a service can work with.
pub fn least_disk_gib(kind: ServiceKind) -> u32 {
    match kind {
        ServiceKind::Database | ServiceKind::Search => 5,
        ServiceKind::Cache | ServiceKind::Queue => 2,
        ServiceKind::Storage => 1,
    }
}

/// Whether nodes of this service have a volume at all.
pub fn has_disk(backend: Option<Backend>) -> bool {
    backend != Some(Backend::Object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_larger_size_is_never_smaller() {
        for role in Role::ALL {
            let [small, medium, large] =
                [Size::Small, Size::Medium, Size::Large].map(|size| needs_of(role, size));
            assert!(
                small.vcpus <= medium.vcpus && medium.vcpus <= large.vcpus,
                "{}",
                role.as_str()
            );
            assert!(
                small.ram_mib < medium.ram_mib && medium.ram_mib < large.ram_mib,
                "{}",
                role.as_str()
            );
        }
        for kind in ServiceKind::ALL {
            let disks =
                [Size::Small, Size::Medium, Size::Large].map(|size| default_disk_gib(kind, size));
            assert!(disks.is_sorted() && disks[0] >= least_disk_gib(kind));
        }
    }
}
