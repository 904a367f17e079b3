//! OpenStack as a platform.
