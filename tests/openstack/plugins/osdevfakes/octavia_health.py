"""What the health manager hears where balancers are not run: all is well.

Octavia's own daemon writes what balancers report of themselves and of their
members.  The noop driver's report nothing, and nobody could tell them from
balancers that have yet to start.
"""
import os
import time

import pymysql

TABLES = ('load_balancer', 'listener', 'pool', 'member')
WELL = ("update %s set operating_status = 'ONLINE' where enabled and "
        "operating_status = 'OFFLINE' and provisioning_status = 'ACTIVE'")


def main():
    db = None
    while True:
        try:
            db = db or pymysql.connect(
                host='127.0.0.1', user='osdev', database='octavia',
                password=os.environ.get('OSDEV_PASSWORD', 'osdev-pw'),
                autocommit=True)
            with db.cursor() as cursor:
                for table in TABLES:
                    cursor.execute(WELL % table)
        except pymysql.Error as e:
            print(e, flush=True)
            db = None
        time.sleep(0.3)


if __name__ == '__main__':
    main()
