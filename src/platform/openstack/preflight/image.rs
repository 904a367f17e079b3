//! The image that an environment's machines are made from.

use super::{super::object::image, Check};
use crate::engine::{Moment, Result};
use crate::site::Environment;

impl Check<'_> {
    pub(super) async fn image(
        &mut self,
        environment: &mut Environment,
        before: Option<&Environment>,
    ) -> Result<()> {
        let kept = before.filter(|it| {
            it.image.name == environment.image.name || environment.image == Default::default()
        });
        if let (None, Some(kept)) = (&environment.image.id, kept) {
            environment.image.id.clone_from(&kept.image.id);
        }
        if environment.image.id.is_some()
            && before.is_some_and(|it| it.image.id == environment.image.id)
        {
            return Ok(());
        }
        let images = self.cloud.images(Moment::START).await?;
        let chosen = match (&environment.image.id, &environment.image.name) {
            (Some(id), _) => {
                let found = images.iter().find(|image| image.id == *id);
                if found.is_none() {
                    self.refuse(
                        "image.id",
                        format!("There is no image {id}"),
                        listed(&images),
                    );
                }
                found
            }
            (None, Some(name)) => {
                let found = newest(
                    images
                        .iter()
                        .filter(|image| image.name.as_deref() == Some(name)),
                );
                if found.is_none() {
                    self.refuse(
                        "image.name",
                        format!("There is no image `{name}`"),
                        listed(&images),
                    );
                }
                found
            }
            (None, None) => {
                let found = newest(images.iter().filter(|image| is_debian_12(image)));
                if found.is_none() {
                    self.refuse(
                        "image",
                        "This cloud offers no Debian 12 image",
                        format!(
                            "Machines are made from it. Upload one, or name it: `image.name`. {}",
                            listed(&images)
                        ),
                    );
                }
                found
            }
        };
        if let Some(image) = chosen {
            if let Some(system) = another_system(image) {
                let name = image.name.as_deref().unwrap_or(&image.id);
                self.warn(
                    "image",
                    format!("Image `{name}` is not Debian 12"),
                    format!("By its properties it is {system}. Machines are made for Debian 12, and on another system they report `trouble` and install nothing."),
                );
            }
            environment.image.id = Some(image.id.clone());
        }
        Ok(())
    }
}

fn newest<'a>(images: impl Iterator<Item = &'a image::Listed>) -> Option<&'a image::Listed> {
    images.max_by(|one, other| one.created_at.cmp(&other.created_at))
}

fn is_debian_12(image: &image::Listed) -> bool {
    let by_properties = image.os_distro.as_deref() == Some("debian")
        && image
            .os_version
            .as_deref()
            .is_some_and(|version| version == "12" || version.starts_with("12."));
    let name = image.name.as_deref().unwrap_or_default().to_lowercase();
    by_properties
        || image.os_distro.is_none()
            && name.contains("debian")
            && (name.contains("12") || name.contains("bookworm"))
}

/// What an image is by its own properties, if that is not what machines are made for. Many images have none.
fn another_system(image: &image::Listed) -> Option<String> {
    let distro = image.os_distro.as_deref()?;
    let version = image.os_version.as_deref().unwrap_or_default();
    let other = distro != "debian" || !version.is_empty() && !is_debian_12(image);
    other.then(|| format!("{distro} {version}").trim().to_owned())
}

fn listed(images: &[image::Listed]) -> String {
    let mut names: Vec<_> = images
        .iter()
        .filter_map(|image| image.name.as_deref())
        .collect();
    names.sort_unstable();
    names.dedup();
    let more = if names.len() > 20 { ", …" } else { "" };
    names.truncate(20);
    format!(
        "The images that you can see are: {}{more}",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn image(
        name: &str,
        distro: Option<&str>,
        version: Option<&str>,
        created: &str,
    ) -> image::Listed {
        serde_json::from_value(json!({ "id": name, "name": name, "os_distro": distro, "os_version": version, "created_at": created })).unwrap()
    }

    #[test]
    fn an_image_of_another_system_is_known_by_its_properties_alone() {
        let system = |distro, version| another_system(&image("ils", distro, version, ""));
        assert_eq!(
            system(Some("ubuntu"), Some("24.04")),
            Some("ubuntu 24.04".to_owned())
        );
        assert_eq!(
            system(Some("debian"), Some("13")),
            Some("debian 13".to_owned())
        );
        assert_eq!(system(Some("fedora"), None), Some("fedora".to_owned()));
        for version in [None, Some("12"), Some("12.11")] {
            assert_eq!(system(Some("debian"), version), None);
        }
        assert_eq!(system(None, None), None);
    }

    #[test]
    fn debian_12_is_known_by_its_properties_or_else_by_its_name() {
        assert!(is_debian_12(&image("x", Some("debian"), Some("12.7"), "")));
        assert!(is_debian_12(&image("Debian 12 (bookworm)", None, None, "")));
        assert!(!is_debian_12(&image("debian-11", None, None, "")));
        assert!(!is_debian_12(&image(
            "ubuntu-12",
            Some("ubuntu"),
            Some("12"),
            ""
        )));
    }

    #[test]
    fn the_newest_image_is_taken() {
        let images = [
            image("debian-12", None, None, "2025-01-01T00:00:00Z"),
            image("debian-12", None, None, "2026-01-01T00:00:00Z"),
        ];
        assert_eq!(
            newest(images.iter()).map(|it| it.created_at.as_str()),
            Some("2026-01-01T00:00:00Z")
        );
    }
}
