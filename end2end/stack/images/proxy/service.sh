#!/bin/sh
# What stands before the backends: hands every connection on to one of those that there are, by their common name.
if [ "$#" -eq 0 ]; then exec nc -ll -p 3333 -e /bin/sh /service.sh connection; fi
exec nc adonisjs 3333
