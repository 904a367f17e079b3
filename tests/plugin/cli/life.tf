variable "round" {
  type    = number
  default = 1
}

# What is not known before apply.
resource "terraform_data" "later" {
  input = { text = "round-${var.round}", ports = [80, 8000 + var.round], count = var.round }
}

locals {
  later = terraform_data.later.output
}

resource "corner_thing" "known" {
  name = "known"
  size = 2 + var.round
  note = var.round == 1 ? null : "changed"
}

resource "corner_thing" "unknown" {
  name = "unknown"
  size = 10 + length(local.later.text)
  note = local.later.text
}

resource "corner_numbers" "all" {
  exact = 123456789012345678901234567890.12345678901234567890
  small = var.round
  list  = [0.1, 1e50, -3, local.later.count]
  any   = local.later.count
}

resource "corner_dynamic" "all" {
  value = jsondecode(var.round == 1 ? "\"text\"" : "{\"a\": [1, true, null]}")
}

resource "corner_dynamic" "unknown" {
  value = local.later
}

resource "corner_collections" "all" {
  list         = [local.later.text, "b"]
  set          = ["a", local.later.text]
  map          = { known = "k", unknown = local.later.text }
  deep         = { ports = local.later.ports }
  with_default = var.round == 1 ? null : []
  flag         = var.round == 1 ? null : false
}

resource "corner_nested" "all" {
  network = {
    cidr  = "10.0.0.0/8"
    inner = { key = "k", secret_wo = "canary-${var.round}" }
  }
  disks       = [for count in range(var.round) : { name = "sd${count}", size = 5 }]
  named_disks = { data = { name = local.later.text } }
  rules       = [for port in local.later.ports : { port = port }]
}

resource "corner_blocks" "all" {
  name = local.later.text
  one {
    speed = var.round
  }
  group {}
  dynamic "disk" {
    for_each = toset(local.later.ports)
    content {
      name = "disk-${disk.value}"
    }
  }
  dynamic "rule" {
    for_each = local.later.ports
    content {
      port = rule.value
    }
  }
  entry "first" {
    note = local.later.text
  }
}

resource "corner_spelling" "all" {
  json = var.round == 1 ? "{ \"b\": 1, \"a\": 2 }" : "{\"a\":2,\"b\":1}"
  host = "Library.Example.ORG"
}

ephemeral "corner_token" "ada" {
  user   = "ada"
  renews = true
}

resource "corner_write_only" "all" {
  password_wo         = ephemeral.corner_token.ada.token
  password_wo_version = var.round
}

data "corner_echo" "now" {
  value = { list = [1, 2.5] }
}

data "corner_echo" "later" {
  value    = local.later
  greeting = "hi"
}

resource "corner_bench" "many" {
  count = 20
  name  = "n${count.index}"
  tags  = { index = tostring(count.index) }
  disk {
    name = "a"
    size = 1
  }
}

output "functions" {
  value = {
    none     = provider::corner::nothing()
    zero     = provider::corner::join("-")
    three    = provider::corner::join("-", "a", local.later.text, "c")
    # With a type: OpenTofu does not ask the provider about a null of no type, and takes its answer for unknown for ever.
    null     = provider::corner::describe(tostring(null)).kind
    unknown  = provider::corner::describe(local.later.text).kind
    divided  = provider::corner::divide(7, 2)
  }
}

output "later" {
  value = data.corner_echo.later.text
}
