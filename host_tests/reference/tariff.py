"""What a calendar asks for, slowly and obviously: walk back minute by minute until an action."""

import datetime


def season_at(seasons, moment, names_day):
    """Name of the season that began last before `moment`, looking back five years."""
    best = None
    for name, start, week in seasons:
        begin = datetime.time(*(0 if octet == 0xFF else octet for octet in start[5:8]))
        for back in range(5 * 366):
            day = moment.date() - datetime.timedelta(back)
            at = datetime.datetime.combine(day, begin)
            if at <= moment and names_day(start[:5], day):
                if best is None or at > best[0]:
                    best = (at, name, week)
                break
    return best


def due_at(calendar, moment, names_day):
    """(begin, script, selector) in force at local `moment`, None if there is none.

    `calendar` has seasons, weeks {name: day ids}, days {id: [(second, script, selector)]} and
    special [(date, day id)].
    """
    for back in range(8):
        day = moment.date() - datetime.timedelta(back)
        end = datetime.datetime.combine(day, datetime.time(23, 59, 59))
        at = min(moment, end)
        actions = None
        for date, day_id in calendar["special"]:
            if names_day(date, day):
                actions = calendar["days"].get(day_id)
                break
        if actions is None:
            season = season_at(calendar["seasons"], at, names_day)
            if season is None or season[2] not in calendar["weeks"]:
                continue
            actions = calendar["days"].get(calendar["weeks"][season[2]][day.weekday()], [])
        midnight = datetime.datetime.combine(day, datetime.time())
        passed = [a for a in actions if midnight + datetime.timedelta(seconds=a[0]) <= at]
        if passed:
            latest = max(action[0] for action in passed)
            chosen = [action for action in passed if action[0] == latest][-1]
            return midnight + datetime.timedelta(seconds=latest), chosen[1], chosen[2]
    return None
