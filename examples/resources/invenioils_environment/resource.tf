resource "invenioils_environment" "this" {
  name = "library"

  network = {
    cidr            = "10.20.0.0/24"
    dns_nameservers = ["9.9.9.9"]
  }

  # Readers come from everywhere; who may log in to the machines is another matter. Leave it away for nobody.
  access = {
    allowed_cidrs = ["0.0.0.0/0"]
    ssh_cidrs     = ["192.0.2.0/24"]
  }

  tags = { department = "library" }
}
