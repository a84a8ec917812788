# Runs a server and ends it when standard input closes: that happens however its owner ends, kill -9 included.
# Arguments: the server's command. Variables: STOP (signal), GRACE (seconds until KILL), REMOVE (a folder, or empty).
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
(
    read -r _
    kill -s "$STOP" $server
    sleep "$GRACE"
    kill -s KILL $server
) <&3 3<&- >/dev/null 2>&1 &
exec 3<&-
wait $server
[ -z "$REMOVE" ] || rm -rf "$REMOVE"
# Whatever the server left running is in this process group, as are the lines that waited, and this shell.
kill -s KILL 0
