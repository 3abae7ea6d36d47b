use runbook::bind;
#[test]
fn explore() {
    for t in [
        "x=`echo \\`printf %s VALUE\\``; echo $x",
        "echo \"`echo \\`printf %s VALUE\\``\"",
        "echo `echo \\`echo \\\\\\`echo VALUE\\\\\\`\\``",
        "x=`echo \"\\`echo VALUE\\`\"`",
        "x=`echo \\\"VALUE\\\"`",
        "x=\"`echo \\\"VALUE\\\"`\"",
        "x=\"`echo 'VALUE'`\"",
        "echo \"$(echo `echo VALUE`)\"",
        "ls ~VALUE/.ssh", "ls ~/VALUE",
        "PATH=VALUE:$PATH ls", "export PATH=$PATH:VALUE", "LD_PRELOAD=VALUE ls", "IFS=VALUE read x", "env LD_PRELOAD=VALUE ls", "BASH_ENV=VALUE bash x.sh","PROMPT_COMMAND=VALUE", "GIT_SSH_COMMAND=VALUE git fetch","EDITOR=VALUE crontab -e",
        "echo VALUE | xargs -I{} sh -c 'ls {}'",
        "echo VALUE | xargs rm", "find . -name VALUE -exec sh -c 'ls $1' _ {} \\;",
        "x=VALUE; ssh host \"ls $x\"", "X=VALUE bash -c \"ls $X\"", "x=VALUE; eval \"ls $x\"", "for x in VALUE; do ssh host ls $x; done", "x=VALUE; y=$x; ssh host ls $y", "x=$(echo VALUE); bash -c \"ls $x\"", "echo VALUE | while read x; do eval $x; done",
        "x=VALUE; bash -c 'ls \"$1\"' _ \"$x\"",
        "bash -c 'ls \"$1\"' _ VALUE", "sh -c 'ls $1' sh VALUE", "ssh -p VALUE host uptime", "ssh VALUE uptime", "ssh user@VALUE uptime", "scp VALUE host:", "docker run --rm -v VALUE:/x img ls", "docker exec VALUE ls", "docker exec -it VALUE bash", "docker exec c ls VALUE", "docker exec c bash -c 'ls VALUE'",
        "echo $(( VALUE ))", "echo $((x[VALUE]))", "echo ${x:VALUE}", "echo ${#VALUE}", "echo ${VALUE}", "a=( [VALUE]=1 )", "printf VALUE", "printf \"VALUE\\n\" x", "cat <<'EOF'\nVALUE\nEOF", "cat <<\"EOF\"\nVALUE\nEOF","cat <<E\\OF\nVALUE\nEOF",
        "cat <<EOF\n$(echo 'VALUE')\n`echo VALUE`\n${x:-VALUE}\n\\VALUE\nEOF",
        "cat <<VALUE\nx\nVALUE", "echo VALUE > VALUE", "ls < VALUE", "exec 3<VALUE", "ls >&VALUE", "ls 2>VALUE", "ls &>VALUE",
        "ls [VALUE]", "ls *.VALUE", "ls !(VALUE)", "[[ x == @(VALUE) ]]", "[[ x =~ [VALUE] ]]", "[[ -f VALUE ]]", "[ -f VALUE ]", "[ VALUE -gt 3 ]", "[[ VALUE -gt 3 ]]", "test VALUE -gt 3",
        "sleep VALUE", "until VALUE; do ls; done", "trap 'rm VALUE' EXIT", "trap VALUE EXIT", "alias x=VALUE", "exec VALUE", "command VALUE", "kill -VALUE 1", "cd VALUE && ls",
        "echo \"a\\\nVALUE\"", "echo a\\ VALUE", "echo \\VALUE", "echo VALUE\\ b", "echo 'it'\\''s VALUE'", "if VALUE; then ls; fi", "VALUE", "VALUE=1", "x=(VALUE)", "crontab <<< VALUE", "curl -d '{\"a\":\"VALUE\"}' http://x", "curl -d \"{\\\"a\\\":\\\"VALUE\\\"}\" x", "jq --arg x VALUE '.[$x]' f","awk -v x=VALUE '{print x}' f", "sed -i s/a/VALUE/ f", "sed -e 's/a/b/' VALUE","grep VALUE f", "python3 x.py VALUE", "python3 - VALUE <<EOF\nprint(1)\nEOF", "mysql -e 'select 1' VALUE", "mysql VALUE < f","psql -d VALUE -c 'select 1'", "psql postgres://VALUE/x -c 'x'", "make VALUE", "make X=VALUE", "git -c VALUE log", "git log VALUE", "tar -xf VALUE", "ls $VALUE", "sudo -u VALUE ls", "su VALUE -c ls", "su - VALUE", "time VALUE", "timeout VALUE ls", "nohup VALUE &", "watch -n VALUE ls", "source VALUE", ". VALUE", "bash VALUE", "bash -x VALUE", "sh < VALUE", "cat VALUE | sh", "python3 VALUE", "docker compose -f VALUE up", "docker-compose exec -T db psql -U VALUE", "kubectl exec VALUE -- ls", "parallel ls ::: VALUE","local x=VALUE", "typeset -i x=VALUE", "declare -i x=VALUE", "(( x = 1 )) && echo VALUE", "for ((i=0;i<VALUE;i++)); do ls; done", "${x}VALUE", "x$VALUE", "function VALUE { ls; }", "VALUE() { ls; }", "echo VALUE{a,b}", "echo $'a\\'VALUE'", "let x=VALUE", "read -p VALUE x", "select x in VALUE; do ls; done", "ls <(echo VALUE)", "mapfile -C VALUE x", "hash VALUE", "enable -f VALUE x", "complete -C VALUE x", "bind -x VALUE", "exec 3<>/dev/tcp/VALUE/80", "set -- VALUE", "shift VALUE", "wait VALUE", "ulimit -n VALUE", "umask VALUE", "history -s VALUE", "fc -s VALUE", "type VALUE",
    ] {
        match bind(t, &[("VALUE", "v")]) { Ok(b) => println!("OK   {t:?}\n     {b:?}"), Err(e) => println!("no   {t:?}  -- {}", e.to_string().chars().skip(30).collect::<String>()) }
    }
}
