"""Five-field cron lines: whether one fired between two moments."""
import datetime

NAMES = {name: str(number) for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
NAMES.update({name: str(number) for number, name in enumerate("sun mon tue wed thu fri sat".split())})
RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def field(text, low, high):
    found = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        if span == "*":
            begin, end = low, high
        else:
            begin, _, end = span.partition("-")
            begin = int(NAMES.get(begin.lower(), begin))
            end = int(NAMES.get(end.lower(), end)) if end else (high if step else begin)
        found.update(range(begin, end + 1, int(step or 1)))
    return found


def matcher(line):
    words = line.split()
    sets = [field(word, *limits) for word, limits in zip(words, RANGES)]
    minutes, hours, days, months, weekdays = sets
    weekdays = {day % 7 for day in weekdays}
    # as cron has it: where both days are said, either will do
    either = not words[2].startswith("*") and not words[4].startswith("*")

    def matches(moment):
        if moment.minute not in minutes or moment.hour not in hours or moment.month not in months:
            return False
        day, weekday = moment.day in days, moment.isoweekday() % 7 in weekdays
        return (day or weekday) if either else (day and weekday)

    return matches


def fired(line, since, now):
    """Looks back a month at most: what was missed longer ago was missed."""
    matches = matcher(line)
    utc = datetime.timezone.utc
    moment = max(since, now - datetime.timedelta(days=31)).astimezone(utc).replace(second=0, microsecond=0)
    end = now.astimezone(utc)
    while True:
        moment += datetime.timedelta(minutes=1)
        if moment > end:
            return False
        if matches(moment.astimezone(now.tzinfo)):
            return True
