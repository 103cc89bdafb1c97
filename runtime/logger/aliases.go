package logger

import (
	"hapax/acl/logformat"
	"hapax/parser/keyword"
)

// aliases are the aliases of log formats (section 8.2.6). Those that are marked HTTP have no
// meaning in TCP mode. Need decides how early a line may be written.
var aliases = []logformat.Alias{
	{Doc: alias("OG", "at which moment the line was written"), Eval: text(origin)},
	{Doc: alias("B", "bytes from the server to the client"), Need: logformat.NeedBytes, Eval: of(bytesRead)},
	{Doc: alias("CC", "captured request cookie"), HTTP: true, Need: logformat.NeedRequestHeaders, Eval: cookie(requestCookie)},
	{Doc: alias("CS", "captured response cookie"), HTTP: true, Need: logformat.NeedResponseHeaders, Eval: cookie(responseCookie)},
	{Doc: alias("H", "name of the machine"), Need: logformat.NeedInit, Eval: text(hostname)},
	{Doc: alias("ID", "unique id"), Need: logformat.NeedBytes, Eval: of(uniqueID)},
	{Doc: alias("ST", "status code"), Need: logformat.NeedResponse, Eval: number(status)},
	{Doc: alias("T", "date of the connection, GMT"), Need: logformat.NeedInit, Eval: zoned(accepted, true)},
	{Doc: alias("Ta", "active time of the request, from the first byte to the end"), HTTP: true, Need: logformat.NeedBytes, Eval: of(activeTime)},
	{Doc: alias("Tc", "time to connect to the server"), Need: logformat.NeedBytes, Eval: number(connectTime)},
	{Doc: alias("Th", "time of the handshakes of the connection"), Need: logformat.NeedBytes, Eval: number(handshakeTime)},
	{Doc: alias("Ti", "idle time before the request"), HTTP: true, Need: logformat.NeedBytes, Eval: number(idleTime)},
	{Doc: alias("Tl", "date of the connection, local time"), Need: logformat.NeedInit, Eval: zoned(accepted, false)},
	{Doc: alias("Tq", "time until the request was complete: Th + Ti + TR"), HTTP: true, Need: logformat.NeedBytes, Eval: number(oldRequestTime)},
	{Doc: alias("Tr", "time until the response's head"), HTTP: true, Need: logformat.NeedBytes, Eval: number(responseTime)},
	{Doc: alias("TR", "time to receive the request's head"), HTTP: true, Need: logformat.NeedBytes, Eval: number(requestTime)},
	{Doc: alias("Td", "time of the transfer: Tt - (Tq + Tw + Tc + Tr)"), Need: logformat.NeedBytes, Eval: number(dataTime)},
	{Doc: alias("Ts", "date of the connection, seconds since 1970"), Need: logformat.NeedInit, Eval: hexNumber(unixSeconds)},
	{Doc: alias("Tt", "total time"), Need: logformat.NeedBytes, Eval: of(totalTime)},
	{Doc: alias("Tu", "total time as the user sees it: Tt - Ti"), Need: logformat.NeedBytes, Eval: of(userTime)},
	{Doc: alias("Tw", "time in queues"), Need: logformat.NeedBytes, Eval: number(queueTime)},
	{Doc: alias("U", "bytes from the client to the server"), Need: logformat.NeedBytes, Eval: number(bytesUploaded)},
	{Doc: alias("ac", "connections of the process"), Need: logformat.NeedBytes, Eval: number(activeConns)},
	{Doc: alias("b", "name of the backend"), Need: logformat.NeedInit, Eval: text(backendName)},
	{Doc: alias("bc", "connections of the backend"), Need: logformat.NeedBytes, Eval: number(backConns)},
	{Doc: alias("bi", "source address of the connection to the server"), Need: logformat.NeedBackIP, Eval: address(source, never)},
	{Doc: alias("bp", "source port of the connection to the server"), Need: logformat.NeedBackIP, Eval: port(source, never, noPort)},
	{Doc: alias("bq", "position in the backend's queue"), Need: logformat.NeedBytes, Eval: number(backendQueue)},
	{Doc: alias("ci", "address of the client"), Need: logformat.NeedClientIP | logformat.NeedTransport, Eval: address(client, fromUnix)},
	{Doc: alias("cp", "port of the client"), Need: logformat.NeedClientIP | logformat.NeedTransport, Eval: port(client, fromUnix, listenerID)},
	{Doc: alias("f", "name of the frontend"), Need: logformat.NeedInit, Eval: text(frontendName)},
	{Doc: alias("fc", "connections of the frontend"), Need: logformat.NeedBytes, Eval: number(frontConns)},
	{Doc: alias("fi", "address that the client connected to"), Need: logformat.NeedFrontIP | logformat.NeedTransport, Eval: address(frontend, toUnix)},
	{Doc: alias("fp", "port that the client connected to"), Need: logformat.NeedFrontIP | logformat.NeedTransport, Eval: port(frontend, toUnix, listenerID)},
	{Doc: alias("ft", "name of the frontend, with ~ for TLS"), Need: logformat.NeedInit, Eval: of(frontendTransport)},
	{Doc: alias("hr", "captured request headers"), Need: logformat.NeedRequestHeaders, Eval: captures(requestCaptures)},
	{Doc: alias("hrl", "captured request headers as a list"), Need: logformat.NeedRequestHeaders, Eval: captureList(requestCaptures)},
	{Doc: alias("hs", "captured response headers"), Need: logformat.NeedResponseHeaders, Eval: captures(responseCaptures)},
	{Doc: alias("hsl", "captured response headers as a list"), Need: logformat.NeedResponseHeaders, Eval: captureList(responseCaptures)},
	{Doc: alias("HM", "method"), HTTP: true, Need: logformat.NeedRequest, Eval: request(methodOf)},
	{Doc: alias("HP", "path, as written"), HTTP: true, Need: logformat.NeedRequest, Eval: request(pathOf)},
	{Doc: alias("HPO", "path without host"), HTTP: true, Need: logformat.NeedRequest, Eval: request(pathOnlyOf)},
	{Doc: alias("HQ", "query with its question mark"), HTTP: true, Need: logformat.NeedRequest, Eval: request(queryOf)},
	{Doc: alias("HU", "URI"), HTTP: true, Need: logformat.NeedRequest, Eval: request(uriOf)},
	{Doc: alias("HV", "version"), HTTP: true, Need: logformat.NeedRequest, Eval: request(versionOf)},
	{Doc: alias("lc", "number of lines logged by the frontend before"), Need: logformat.NeedInit, Eval: hexNumber(logCounter)},
	{Doc: alias("ms", "milliseconds of the date of the connection"), Need: logformat.NeedInit, Eval: of(milliseconds)},
	{Doc: alias("pid", "process id"), Need: logformat.NeedInit, Eval: hexNumber(processID)},
	{Doc: alias("r", "request line"), HTTP: true, Need: logformat.NeedRequest, Eval: request(wholeLine)},
	{Doc: alias("rc", "retries"), Need: logformat.NeedBytes, Eval: of(retries)},
	{Doc: alias("rt", "number of the request"), Need: logformat.NeedRequest, Eval: hexNumber(requestCounter)},
	{Doc: alias("s", "name of the server"), Need: logformat.NeedServer, Eval: text(serverName)},
	{Doc: alias("sc", "connections of the server"), Need: logformat.NeedBytes, Eval: number(serverConns)},
	{Doc: alias("si", "address of the server"), Need: logformat.NeedServerIP, Eval: address(server, serverOnUnix)},
	{Doc: alias("sp", "port of the server"), Need: logformat.NeedServerIP, Eval: port(server, serverOnUnix, noPort)},
	{Doc: alias("sq", "position in the server's queue"), Need: logformat.NeedBytes, Eval: number(serverQueue)},
	{Doc: alias("sslc", "cipher of the client's connection"), Need: logformat.NeedTransport, Eval: text(tlsCipher)},
	{Doc: alias("sslv", "TLS version of the client's connection"), Need: logformat.NeedTransport, Eval: text(tlsVersion)},
	{Doc: alias("t", "date of the connection, with milliseconds"), Need: logformat.NeedInit, Eval: localMilli(accepted)},
	{Doc: alias("tr", "date of the request, with milliseconds"), HTTP: true, Need: logformat.NeedInit, Eval: localMilli(requested)},
	{Doc: alias("trg", "date of the request, GMT"), HTTP: true, Need: logformat.NeedInit, Eval: zoned(requested, true)},
	{Doc: alias("trl", "date of the request, local time"), HTTP: true, Need: logformat.NeedInit, Eval: zoned(requested, false)},
	{Doc: alias("ts", "who ended the stream, and in which state"), Need: logformat.NeedBytes, Eval: of(termination)},
	{Doc: alias("tsc", "the same with the state of the persistence cookie"), Need: logformat.NeedInit, Eval: of(terminationCookie)},
}

func alias(name, summary string) keyword.Doc {
	return keyword.Doc{Name: name, Ref: "8.2.6", Summary: summary}
}
