//! Which flavor a machine gets: the cheapest that holds its size, or the one that the user named.

use super::{super::object::server::Flavor, Check};
use crate::engine::{Moment, Result};
use crate::site::{Machine, Needs, Role, needs_of};

impl Check<'_> {
    /// Fills in `machine.flavor`. `before`: the machine as it was made last.
    pub(super) async fn machine(
        &mut self,
        machine: &mut Machine,
        before: Option<&Machine>,
        role: Role,
        at: &str,
    ) -> Result<()> {
        let field = |name: &str| {
            if at.is_empty() {
                name.to_owned()
            } else {
                format!("{at}.{name}")
            }
        };
        if let Some(before) = before.filter(|before| before.flavor.is_some()) {
            let same_size = machine.size.is_some() && machine.size == before.size;
            if machine.flavor.is_none() && same_size {
                machine.flavor.clone_from(&before.flavor);
            }
            if machine.flavor == before.flavor {
                return Ok(());
            }
        }
        let flavors = self.cloud.flavors(Moment::START).await?;
        if let Some(wanted) = &machine.flavor {
            if !flavors
                .iter()
                .any(|flavor| flavor.name == *wanted || flavor.id == *wanted)
            {
                self.refuse(
                    &field("flavor"),
                    format!("There is no flavor `{wanted}`"),
                    listed(&flavors),
                );
            }
            return Ok(());
        }
        let Some(size) = machine.size else {
            return Ok(());
        };
        let needs = needs_of(role, size);
        match cheapest(&flavors, needs) {
            Some(flavor) => machine.flavor = Some(flavor.name.clone()),
            None => self.refuse(
                &field("size"),
                "No flavor of this cloud is large enough",
                format!("A {} machine of this size needs {} vCPU, {} MiB of memory and a root disk of {} GiB. {}", role.as_str(), needs.vcpus, needs.ram_mib, needs.disk_gib, listed(&flavors)),
            ),
        }
        Ok(())
    }
}

/// Memory costs most, then processors, then disk. A flavor without a disk boots from a volume only.
fn cheapest(flavors: &[Flavor], needs: Needs) -> Option<&Flavor> {
    let holds = |flavor: &&Flavor| {
        flavor.vcpus >= needs.vcpus && flavor.ram >= needs.ram_mib && flavor.disk >= needs.disk_gib
    };
    flavors
        .iter()
        .filter(holds)
        .min_by_key(|flavor| (flavor.ram, flavor.vcpus, flavor.disk, flavor.name.clone()))
}

fn listed(flavors: &[Flavor]) -> String {
    let mut flavors: Vec<_> = flavors.iter().collect();
    flavors.sort_by_key(|flavor| (flavor.ram, flavor.vcpus));
    let tell = |flavor: &&Flavor| {
        format!(
            "`{}` ({} vCPU, {} MiB, {} GiB)",
            flavor.name, flavor.vcpus, flavor.ram, flavor.disk
        )
    };
    format!(
        "The flavors are: {}",
        flavors.iter().map(tell).collect::<Vec<_>>().join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flavor(name: &str, vcpus: u32, ram: u32, disk: u32) -> Flavor {
        Flavor {
            id: name.into(),
            name: name.into(),
            vcpus,
            ram,
            disk,
        }
    }

    #[test]
    fn the_cheapest_flavor_that_holds_is_taken() {
        let flavors = [
            flavor("huge", 8, 32768, 80),
            flavor("fits", 2, 4096, 40),
            flavor("diskless", 2, 4096, 0),
            flavor("small", 1, 2048, 20),
        ];
        let needs = |vcpus, ram_mib| Needs {
            vcpus,
            ram_mib,
            disk_gib: 10,
        };
        assert_eq!(
            cheapest(&flavors, needs(2, 4096)).map(|it| it.name.as_str()),
            Some("fits")
        );
        assert_eq!(
            cheapest(&flavors, needs(4, 4096)).map(|it| it.name.as_str()),
            Some("huge")
        );
        assert!(cheapest(&flavors, needs(16, 4096)).is_none());
    }
}
