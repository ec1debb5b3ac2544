#!/bin/bash
# A guest's end of the command channel: serve.sh FOLDER
# The host drops FOLDER/N.req (a bash script, moved into place whole). It runs here in the background,
# so that a command may outlive the next one; FOLDER/N.out and N.err get its output, N.rc its status.
cd "$1" || exit 1
shopt -s nullglob
# Waiting by a read that never gets data costs no fork, which is dear in a software machine.
mkfifo "/run/.serve.$$" && exec 9<>"/run/.serve.$$"
while :; do
    for request in *.req; do
        name=${request%.req}
        mv "$request" "$name.run" || continue
        {
            bash "$name.run" >"$name.out" 2>"$name.err" </dev/null 9<&-
            echo $? >"$name.tmp"
            mv "$name.tmp" "$name.rc"
        } &
    done
    read -rt 0.05 -u 9
done
