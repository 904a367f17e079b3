"""What backup policies ask of this machine."""


def policies(context):
    """The policies that name this machine's service, by name."""
    own = f"{context.identity['environment']}/{context.thing['name']}"
    found = {}
    for part, document in context.documents.items():
        if part.startswith("backup."):
            ids = [it if isinstance(it, str) else f"{it['environment']}/{it['name']}" for it in document["policy"]["services"]]
            if own in ids:
                found[part[len("backup."):]] = document
    return found


def point_in_time(context):
    """The first policy that asks for continuous archiving."""
    for document in policies(context).values():
        if document["policy"].get("point_in_time_days"):
            return document
    return None


def apply(context):
    pass
