variable "cloud" {
  description = "The entry of clouds.yaml; null: OS_CLOUD, or the OS_* variables."
  type        = string
  default     = null
}

variable "owner" {
  description = "Who owns the objects in the cloud."
  type        = string
  default     = null
}

variable "name" {
  type    = string
  default = "library"
}

variable "hostname" {
  type    = string
  default = "library.example.org"
}

variable "external_network" {
  description = "The network with public addresses, by name or id; null where the cloud has only one."
  type        = string
  default     = null
}

variable "zone" {
  description = "The DNS zone of the host name, with a dot at its end; null: the name is looked after elsewhere."
  type        = string
  default     = null
}

variable "manage_zone" {
  description = "Make the zone, too."
  type        = bool
  default     = false
}

variable "deletion_protection" {
  description = "Set this to false, apply, and only then destroy."
  type        = bool
  default     = true
}
