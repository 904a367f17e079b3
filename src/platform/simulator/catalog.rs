//! What the simulated cloud offers: flavors, images, external networks.

/// A machine size; the first that holds enough is the cheapest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flavor {
    pub name: &'static str,
    pub vcpus: u32,
    pub ram_mib: u32,
    pub disk_gib: u32,
}

const fn flavor(name: &'static str, vcpus: u32, ram_mib: u32, disk_gib: u32) -> Flavor {
    Flavor {
        name,
        vcpus,
        ram_mib,
        disk_gib,
    }
}

/// By price.
pub const FLAVORS: [Flavor; 9] = [
    flavor("c1-r1", 1, 1024, 10),
    flavor("c1-r2", 1, 2048, 20),
    flavor("c2-r2", 2, 2048, 20),
    flavor("c2-r4", 2, 4096, 20),
    flavor("c2-r8", 2, 8192, 40),
    flavor("c4-r4", 4, 4096, 40),
    flavor("c4-r8", 4, 8192, 40),
    flavor("c8-r16", 8, 16384, 80),
    flavor("c8-r32", 8, 32768, 80),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Image {
    pub id: &'static str,
    pub name: &'static str,
}

/// The first is the default: the newest Debian 12.
pub const IMAGES: [Image; 3] = [
    Image {
        id: "image-debian-12",
        name: "debian-12",
    },
    Image {
        id: "image-debian-13",
        name: "debian-13",
    },
    Image {
        id: "image-ubuntu-24-04",
        name: "ubuntu-24.04",
    },
];

pub const EXTERNAL_NETWORKS: [&str; 1] = ["public"];
pub const REGIONS: [&str; 3] = ["one", "two", "three"];

pub fn flavor_named(name: &str) -> Option<&'static Flavor> {
    FLAVORS.iter().find(|it| it.name == name)
}
pub fn flavor_for(vcpus: u32, ram_mib: u32, disk_gib: u32) -> Option<&'static Flavor> {
    FLAVORS
        .iter()
        .find(|it| it.vcpus >= vcpus && it.ram_mib >= ram_mib && it.disk_gib >= disk_gib)
}
pub fn image_named(wanted: &str) -> Option<&'static Image> {
    IMAGES
        .iter()
        .find(|it| it.id == wanted || it.name == wanted)
}
